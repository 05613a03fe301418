"""A bundle from anywhere, held against what it states: ``distill verify``.

First what needs no compiler: the files, their hashes, and every byte written again from the
bundle's own record. Only what was written again is then compiled and run, and never a stranger's C.
"""
