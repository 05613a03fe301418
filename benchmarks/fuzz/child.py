"""One target in a process of its own, guided by coverage: what `run.py` starts.

    python benchmarks/fuzz/child.py NAME FOLDER [LIBFUZZER FLAG ...]

An exception is kept in FOLDER/findings and fuzzing goes on; a hang, a crash of native code or too
much memory ends the process, and libFuzzer leaves the input in FOLDER.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

with atheris.instrument_imports(include=["distill"]):
    from fuzz.target import Findings, Target, digest, failure

    TARGET: Target = importlib.import_module(f"fuzz.targets.{sys.argv[1]}").TARGET
    SEEDS = TARGET.seeds()
    for seed in SEEDS:  # brings in what is imported late
        failure(TARGET.once, seed)


def main() -> None:
    """Fuzz until libFuzzer's limits are reached."""
    folder = Path(sys.argv[2])
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in SEEDS:
        (corpus / digest(seed)).write_bytes(seed)
    words = folder / "words.txt"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in TARGET.words))
    findings = Findings(folder / "findings")

    def once(data: bytes) -> None:
        error = failure(TARGET.once, data)
        if error is not None:
            findings.keep(data, error)

    arguments = [sys.argv[0], *sys.argv[3:], f"-artifact_prefix={folder}/"]
    if TARGET.words:
        arguments.append(f"-dict={words}")
    atheris.Setup([*arguments, str(corpus)], once, custom_mutator=TARGET.mutate)
    atheris.Fuzz()


def _escaped(word: str) -> str:
    return "".join(
        c if c.isascii() and c.isprintable() and c not in '"\\' else f"\\x{ord(c):02x}"
        for c in word
    )


if __name__ == "__main__":
    main()
