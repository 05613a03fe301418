"""How far at most: enclosures of formulas and closed forms over boxes, and proofs by them."""
