"""The blocks of a tape: rows of numbers made from the rows of earlier blocks."""
