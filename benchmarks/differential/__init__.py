"""Random formulas through every printer: what must agree, and whether it does."""
