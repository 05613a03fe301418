"""PySR behind the engine protocol: Julia in a process of its own, told all that is known."""
