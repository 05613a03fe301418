"""Limits of a run, tried for real: what is asked, what is run, what is watched, what is told."""
