"""Polynomial networks: every real critical point of their squared loss, certified."""
