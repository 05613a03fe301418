"""Adaptive sweeps: Optuna chooses the next job from what those before came to.

``space`` is where it may look, ``objectives`` what it is told, ``trials`` the trials that all
workers share, ``pruning`` ends hopeless searches, ``summary`` says what was found. ``source`` is
the door.
"""
