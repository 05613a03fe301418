"""Studies of one question held against each other."""
