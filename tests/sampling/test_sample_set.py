"""Samples on disk."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from distill.domain import Domain, Variable
from distill.errors import StorageError
from distill.sampling.sample_set import SampleSet

DOMAIN = Domain(
    (Variable("y", 0.1, 9, unit="µm", scale="log"), Variable("n", 0, 4, kind="integer"))
)


def _sample(held_out: SampleSet | None = None) -> SampleSet:
    rng = np.random.default_rng(0)
    x = DOMAIN.sample(20)
    return SampleSet(DOMAIN, x, rng.standard_normal(20), DOMAIN.sample(3, seed=9), held_out)


@pytest.mark.parametrize("held_out", [None, _sample()])
def test_come_back_to_the_bit(held_out: SampleSet | None, tmp_path: Path):
    sample = _sample(held_out)
    sample.to_parquet(tmp_path / "s.parquet")
    back = SampleSet.from_parquet(tmp_path / "s.parquet")
    assert back.domain == DOMAIN
    for key in ("x", "y", "rejected"):
        assert getattr(back, key).tobytes() == getattr(sample, key).tobytes()
    assert (back.held_out is None) == (held_out is None)
    if held_out is not None:
        assert back.held_out.x.tobytes() == held_out.x.tobytes()
        assert back.held_out.y.tobytes() == held_out.y.tobytes()


def test_can_be_read_by_others(tmp_path: Path):
    sample = _sample()
    sample.to_parquet(tmp_path / "s.parquet")
    frame = pd.read_parquet(tmp_path / "s.parquet")
    np.testing.assert_array_equal(frame["n"][:20], sample.x[:, 1])
    assert frame["_answer"].isna().sum() == 3


def test_damaged_foreign_and_missing_files(tmp_path: Path):
    path = tmp_path / "s.parquet"
    with pytest.raises(StorageError, match="cannot be read"):
        SampleSet.from_parquet(path)
    _sample().to_parquet(path)
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(StorageError, match="cannot be read") as caught:
            SampleSet.from_parquet(path)
        assert str(path) in caught.value.where
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(StorageError, match="no sample of this version"):
        SampleSet.from_parquet(path)


def test_another_version(tmp_path: Path):
    path = tmp_path / "s.parquet"
    _sample().to_parquet(path)
    table = parquet.read_table(path)
    metadata = table.schema.metadata[b"distill.sample"].replace(b'"version": 1', b'"version": 2', 1)
    parquet.write_table(table.replace_schema_metadata({"distill.sample": metadata}), path)
    with pytest.raises(StorageError, match="version 2, not 1"):
        SampleSet.from_parquet(path)


def test_a_folder_that_is_a_file(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="a part of the path is a file"):
        _sample().to_parquet(tmp_path / "file" / "s.parquet")
