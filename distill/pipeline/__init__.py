"""The stages in a row: for one output, for all of them, from what a config names."""
