"""Our own engine: asks the teacher for the structure of its formula first, then solves the pieces."""
