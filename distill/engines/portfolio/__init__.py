"""Several engines under one budget with one front, each starting from what all have found."""
