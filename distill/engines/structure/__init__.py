"""Our own engine: asks the teacher for its structure first, then solves the pieces."""
