"""The steps of chains, one family a file."""
