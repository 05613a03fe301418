"""The sample stage: asking the teacher at the points of a design."""

from __future__ import annotations

import json
from pathlib import Path

from distill.config.schema import SamplingConfig, plain
from distill.domain import Domain
from distill.progress import Progress
from distill.runner import Stage
from distill.sampling.sample import draw
from distill.sampling.sample_set import SampleSet
from distill.teachers.base import Teacher


def sample(
    config: SamplingConfig, teacher: Teacher, domain: Domain, output: int, progress: Progress
) -> SampleSet:
    """Ask the teacher at the points of a design."""
    return draw(
        teacher,
        domain,
        config.design,
        config.points,
        config.seed,
        output=output,
        held_out=config.held_out,
        progress=progress,
    )


def made_from(config: SamplingConfig, domain: Domain, output: int) -> dict[str, object]:
    """What a sample's key is made of, beside the teacher; not how its points are shared out."""
    own = {k: v for k, v in plain(config).items() if k not in {"jobs", "ahead"}}
    return {"sampling": own, "domain": json.loads(domain.to_json()), "output": output}


def _save_sample(result: SampleSet, folder: Path) -> None:
    result.to_parquet(folder / "sample.parquet")


def _load_sample(folder: Path) -> SampleSet:
    return SampleSet.from_parquet(folder / "sample.parquet")


def _describe_sample(result: SampleSet) -> str:
    rejected = f", {len(result.rejected)} without a finite answer" if len(result.rejected) else ""
    return f"{len(result):,} points{rejected}"


SAMPLE: Stage[SampleSet] = Stage("sample", _save_sample, _load_sample, _describe_sample)
