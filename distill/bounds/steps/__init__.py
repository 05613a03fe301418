"""What the steps of chains are made of, beside the blocks that formulas need."""
