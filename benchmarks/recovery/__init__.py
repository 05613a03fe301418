"""Which formulas engines find again: problem sets, the judge, networks in between, the tables."""
