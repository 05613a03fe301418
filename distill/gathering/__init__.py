"""Asking a slow teacher in parts, each a job of a launcher, before anything is searched.

What is answered is kept by the teacher itself, so a part that dies loses what was being asked.
"""
