"""Sweeps: which jobs there are, how they are started and gone on with, and what they came to.

``docs/sweeps.md`` is the user's view. Hydra expands grids and starts processes; the rest is here.
"""
