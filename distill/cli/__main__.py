"""``python -m distill.cli``."""

from distill.cli.front import program

program()
