"""``distill doctor``: what this machine has, and what is missing."""

from __future__ import annotations

from distill.cli.command import arguments_of, print_text


def run(arguments: list[str]) -> int:
    """What this machine has, and what each missing thing would give."""
    from distill.commands.doctor import examine
    from distill.config.folder import options_of, read_option
    from distill.firmware.target import load_target

    arguments_of(arguments, {})
    targets = [load_target(read_option("target", name)) for name in options_of("target")]
    for finding in examine(targets):
        mark = "✓" if finding.found else "✗"
        print_text(f"  {mark} {finding.name:<22} {finding.detail}\n")
        if not finding.found:
            print_text(f"    {'':<22} gives: {finding.gives}\n")
    return 0
