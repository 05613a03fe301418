"""From a choice to C where the user wants it: the export and verify stages, and publishing."""
