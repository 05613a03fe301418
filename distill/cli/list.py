"""``distill list``: teachers, engines and targets."""

from __future__ import annotations

from distill.cli.command import print_text, unknown


def run(arguments: list[str]) -> int:
    """Teachers, engines and targets with one line each."""
    from distill.commands.catalogue import CATALOGUE

    wanted = arguments or list(CATALOGUE)
    for name in wanted:
        if name not in CATALOGUE:
            raise unknown("list", name, list(CATALOGUE))
        print_text(f"{name}\n")
        for entry in CATALOGUE[name]():
            print_text(f"  {entry.name:<16} {entry.description}\n")
            for option in entry.options:
                print_text(f"    {'':<14} {option}\n")
    return 0
