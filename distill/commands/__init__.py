"""What the commands do, for a terminal or a program; the command line is ``distill/cli``."""
