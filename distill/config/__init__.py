"""What a user may set: where the config lies, what it holds, what its values may be."""
