"""Closed forms: a teacher's own arithmetic as a chain of steps, from inputs to outputs."""
