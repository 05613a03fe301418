"""How a command speaks: to a person, in one line, or to a program."""
