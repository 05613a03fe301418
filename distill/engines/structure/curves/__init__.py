"""Formulas of one variable: what a curve is, found by the forms that curves of the world have.

:func:`distill.engines.structure.curves.solve.solve_curve` is the door.
"""
