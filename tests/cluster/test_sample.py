"""A slow teacher asked in parts on Slurm, one of which is killed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.gathering.conftest import distill, plant, words


@pytest.mark.slow
def test_parts_on_slurm_share_the_answers_and_a_killed_one_is_asked_again(
    cluster: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    plant(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    given = words(
        "kills_its_asker_once", "sampling.points=80", f"teacher.options.cache={tmp_path}/answers"
    )
    done = distill(
        "sample", "--json", *given, "sampling.jobs=3", "hydra/launcher=slurm",
        "hydra.launcher.mem_gb=1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    asked = Path("calls.txt").read_text().splitlines()
    assert Path("killed").is_dir()
    assert len(set(asked)) == result["points"] == 80
    assert result["asked"] >= len(asked) >= 80
    again = distill("sample", "--quiet", *given)
    assert "80 points, 0 questions asked now" in again.stdout
