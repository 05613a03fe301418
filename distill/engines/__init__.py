"""How formulas are found: engines behind one protocol, and the refinement after all of them."""
