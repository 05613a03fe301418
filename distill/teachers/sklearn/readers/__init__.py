"""Fitted estimators as chains: one family a file, :mod:`read` in front of them."""
