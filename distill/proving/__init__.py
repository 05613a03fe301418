"""One proven bound of a whole export: formula, table, guard and the C's arithmetic together."""
