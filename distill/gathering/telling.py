"""What asking a teacher ahead came to, in words and as data."""

from __future__ import annotations

from distill.gathering.gather import Gathered
from distill.voices.voice import Result


def result_of(gathered: Gathered) -> Result:
    """The result of ``distill sample``, to be told."""
    line = f"{gathered.points:,} points, {gathered.asked:,} questions asked now"
    if gathered.without:
        line += f", {gathered.without:,} points without an answer"
        if gathered.failed:
            line += f", mostly: {max(gathered.failed, key=gathered.failed.__getitem__)}"
    text = f"{line}.\n`distill run` with the same words asks none of these points again."
    return Result(
        show=lambda console: console.print(text, highlight=False, markup=False, soft_wrap=True),
        line=f"{line}.",
        data={
            "points": gathered.points,
            "asked": gathered.asked,
            "without_answer": gathered.without,
            "failed": dict(gathered.failed),
            "answers": str(gathered.answers),
            "samples": [
                {"output": name, "folder": str(done.folder), "reused": done.reused}
                for name, done in gathered.samples.items()
            ],
        },
    )
