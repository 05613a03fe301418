"""Fuzzing: one target a file below `targets/`, all of them run by `run.py`."""
