"""From a formula or a teacher to what its C is made of, in one arithmetic."""
