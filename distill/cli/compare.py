"""``distill compare``: recorded studies held against each other."""

from __future__ import annotations

from pathlib import Path

from distill.cli.command import arguments_of, print_text


def run(arguments: list[str]) -> int:
    """Compare recorded studies: fronts, hypervolumes, and which formula beats which."""
    from rich.text import Text

    from distill.comparing.files import check_file, write_comparisons
    from distill.comparing.fronts import compare
    from distill.comparing.questions import by_question
    from distill.comparing.tables import show_comparison
    from distill.tracking.record_folder import load_record
    from distill.tracking.recorded import find_studies, find_sweep
    from distill.voices.console import PlainConsole

    given = [a for a in arguments if a.partition("=")[0] in _OWN]
    options = arguments_of(given, _OWN)
    root, out = Path(options["root"]), Path(options["out"])
    if options["out"]:
        check_file(out)
    found = [s for name in arguments if name not in given for s in find_studies(root, name)]
    if sweep := options["sweep"]:
        found += find_sweep(root, sweep)
    records = [load_record(folder) for folder in dict.fromkeys(s.folder for s in found)]
    groups, alone = [records], []
    if sweep:
        # A sweep may vary what is asked, too: each question is compared for itself.
        *groups, alone = by_question(records)
    comparisons = [each for group in groups or [alone] for each in compare(group)]
    console = PlainConsole()
    for comparison in comparisons:
        show_comparison(console, comparison)
    if alone:
        names = "".join(f"\n    {study.name}" for study in alone)
        console.print(Text(f"\nNothing to compare these with:{names}", style="dim"))
    if options["out"]:
        write_comparisons(comparisons, out)
        print_text(f"\nwritten to {out}\n")
    return 0


_OWN = {"root": "studies", "out": "", "sweep": ""}
