"""The expression: an immutable tree with a closed grammar, its printers and its evaluation.

``Formula`` is a tree over a domain; everything else here works on bare trees.
"""

from distill.formula.formula import Formula

__all__ = ["Formula"]
