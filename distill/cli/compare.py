"""``distill compare``: recorded studies held against each other."""

from __future__ import annotations

from pathlib import Path

from distill.cli.command import arguments_of, print_text


def run(arguments: list[str]) -> int:
    """Compare recorded studies: fronts, hypervolumes, and which formula beats which."""
    from rich.console import Console

    from distill.comparing.files import check_file, write_comparisons
    from distill.comparing.fronts import compare
    from distill.comparing.tables import show_comparison
    from distill.tracking.record import load_record
    from distill.tracking.recorded import find_studies

    given = [a for a in arguments if a.partition("=")[0] in _OWN]
    options = arguments_of(given, _OWN)
    root, out = Path(options["root"]), Path(options["out"])
    if options["out"]:
        check_file(out)
    wanted = [a for a in arguments if a not in given]
    found = [study for name in wanted for study in find_studies(root, name)]
    comparisons = compare([load_record(f) for f in dict.fromkeys(s.folder for s in found)])
    console = Console()
    for comparison in comparisons:
        show_comparison(console, comparison)
    if options["out"]:
        write_comparisons(comparisons, out)
        print_text(f"\nwritten to {out}\n")
    return 0


_OWN = {"root": "studies", "out": ""}
