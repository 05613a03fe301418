"""The command line: one file a command, and one front door."""

from distill.cli.front import main, program

__all__ = ["main", "program"]
