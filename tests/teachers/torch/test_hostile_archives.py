"""torch.export archives and weights made to do harm: nothing runs, nothing huge is allocated."""

import contextlib
import io
import json
import pickle
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from distill.domain import Domain
from distill.errors import ConfigError, TeacherError
from distill.teachers.load import load_teacher
from tests.teachers.torch.conftest import Bomb, edited, rewritten

BOX = Domain.box(a=(-1, 1), b=(-2, 2))


def _pickled(bomb: Bomb) -> bytes:
    buffer = io.BytesIO()
    torch.save(bomb, buffer)
    return buffer.getvalue()


def _loaded_by_torch(path: Path) -> None:
    """What torch's own loader does with it, which shows that the bomb is real."""
    with contextlib.suppress(Exception):
        torch.export.load(path)


def _refusal(path: Path, **options: Any) -> TeacherError:
    with pytest.raises(TeacherError) as caught:
        load_teacher(path, domain=BOX, **options)
    assert str(path) in caught.value.where
    assert caught.value.hint
    return caught.value


def test_a_bomb_among_the_example_inputs_is_never_touched(archive: Path, tmp_path: Path):
    proof = tmp_path / "proof"
    hostile = rewritten(
        archive, tmp_path / "x.pt2", data_sample_inputs=lambda _: _pickled(Bomb(proof))
    )
    x = BOX.sample(9)
    good = load_teacher(archive, domain=BOX).predict(x)
    np.testing.assert_array_equal(load_teacher(hostile, domain=BOX).predict(x), good)
    assert not proof.exists()
    _loaded_by_torch(hostile)
    assert proof.exists()


def test_pickled_weights_are_refused_unopened(archive: Path, tmp_path: Path):
    proof = tmp_path / "proof"

    def change(config: Any) -> None:
        config["config"]["0.bias"]["use_pickle"] = True

    hostile = rewritten(
        archive,
        tmp_path / "x.pt2",
        model_weights_config=edited(change),
        weights_weight_1=lambda _: _pickled(Bomb(proof)),
    )
    assert "`0.bias` is pickled" in _refusal(hostile).what
    assert not proof.exists()
    _loaded_by_torch(hostile)
    assert proof.exists()


def test_text_that_sympy_would_evaluate_is_not_evaluated(archive: Path, tmp_path: Path):
    proof = tmp_path / "proof"

    def change(model: Any) -> None:
        values = model["graph_module"]["graph"]["tensor_values"]
        for meta in values.values():
            for size in meta["sizes"]:
                if "as_expr" in size:
                    size["as_expr"]["expr_str"] = f"__import__('os').mkdir({str(proof)!r})"

    hostile = rewritten(archive, tmp_path / "x.pt2", models_model=edited(change))
    assert load_teacher(hostile, domain=BOX).predict(BOX.sample(3)).shape == (3, 3)
    assert not proof.exists()
    _loaded_by_torch(hostile)
    assert proof.exists()


@pytest.mark.parametrize(
    "target",
    [
        "torch.ops.aten.from_file.default",
        "torch.os.mkdir",
        "torch.load",
        "_operator.attrgetter",
        "math.os.system",
        "#higher_order",
        "torch.ops.aten.__class__.default",
        "torch.ops.aten.linear",
        "torch.ops.other.linear.default",
        7,
    ],
)
def test_operators_outside_the_list_are_named_and_refused(
    target: object, archive: Path, tmp_path: Path
):
    def change(model: Any) -> None:
        model["graph_module"]["graph"]["nodes"][1]["target"] = target

    hostile = rewritten(archive, tmp_path / "x.pt2", models_model=edited(change))
    error = _refusal(hostile)
    assert str(target) in error.what or "as torch writes it" in error.what


def test_compiled_code_is_never_loaded(archive: Path, tmp_path: Path):
    hostile = rewritten(archive, tmp_path / "x.pt2")
    with zipfile.ZipFile(hostile, "a") as file:
        file.writestr("net/data/aotinductor/model/evil.so", b"\x7fELF")
    assert "machine code" in _refusal(hostile).what


def _grown(key: str, value: object) -> Any:
    def change(config: Any) -> None:
        config["config"]["0.weight"]["tensor_meta"][key] = value

    return edited(change)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sizes", [{"as_int": 10**9}, {"as_int": 2}]),
        ("sizes", [{"as_int": 4}, {"as_int": -2}]),
        ("storage_offset", {"as_int": 10**12}),
        ("storage_offset", {"as_int": -4}),
        ("strides", [{"as_int": 10**15}, {"as_int": 1}]),
        ("strides", [{"as_int": -1}, {"as_int": 1}]),
        ("dtype", 9),
        ("dtype", 99),
    ],
)
def test_absurd_weights_are_refused_before_anything_is_made(
    key: str, value: object, archive: Path, tmp_path: Path
):
    hostile = rewritten(archive, tmp_path / "x.pt2", model_weights_config=_grown(key, value))
    tracemalloc.start()
    _refusal(hostile)
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


def test_a_tensor_of_stride_zero_is_no_bomb(archive: Path, tmp_path: Path):
    def change(config: Any) -> None:
        meta = config["config"]["0.weight"]["tensor_meta"]
        meta["sizes"] = [{"as_int": 10**9}, {"as_int": 2}]
        meta["strides"] = [{"as_int": 0}, {"as_int": 0}]

    hostile = rewritten(archive, tmp_path / "x.pt2", model_weights_config=edited(change))
    assert "there are 8 numbers for it" in _refusal(hostile).what


def test_a_graph_that_would_make_a_huge_tensor_is_refused(archive: Path, tmp_path: Path):
    def change(model: Any) -> None:
        last = model["graph_module"]["graph"]["nodes"][-1]
        last["target"] = "torch.ops.aten.repeat.default"
        repeats = {"name": "repeats", "arg": {"as_ints": [10**6, 10**6]}, "kind": 1}
        last["inputs"] = [last["inputs"][0], repeats]

    hostile = rewritten(archive, tmp_path / "x.pt2", models_model=edited(change))
    assert "would take 16,000,000,000,000 bytes" in _refusal(hostile).what


def test_compressed_entries_are_refused_however_small_the_file(archive: Path, tmp_path: Path):
    for source in (archive, _weights(tmp_path)):
        hostile = tmp_path / f"bomb{source.suffix}"
        with (
            zipfile.ZipFile(source) as old,
            zipfile.ZipFile(hostile, "w", zipfile.ZIP_DEFLATED) as new,
        ):
            for info in old.infolist():
                new.writestr(info.filename, old.read(info))
            new.writestr(f"{info.filename.partition('/')[0]}/zeros", bytes(10**8))
        assert hostile.stat().st_size < 200_000
        options = {"layers": [2, 3]} if source.suffix == ".pt" else {}
        assert "unfolds" in _refusal(hostile, **options).what


def _weights(folder: Path) -> Path:
    torch.save(torch.nn.Linear(2, 3).state_dict(), folder / "w.pt")
    return folder / "w.pt"


def test_a_state_dict_that_states_more_than_there_is(tmp_path: Path):
    huge = torch.zeros(1).expand(10**6, 10**6)
    torch.save({"0.weight": huge, "0.bias": torch.zeros(1)}, tmp_path / "w.pt")
    assert "there are 4 bytes for it" in _refusal(tmp_path / "w.pt", layers=[2, 1]).what


def test_other_things_than_plain_tensors(tmp_path: Path):
    cases = {
        "sparse": torch.eye(3).to_sparse(),
        "meta": torch.empty(10**12, device="meta"),
        "whole": torch.zeros(2, dtype=torch.int64),
    }
    for name, tensor in cases.items():
        torch.save({"0.weight": torch.ones(1, 2), "0.bias": tensor}, tmp_path / f"{name}.pt")
        assert "`0.bias`" in _refusal(tmp_path / f"{name}.pt", layers=[2, 1]).what


def test_a_storage_larger_than_its_entry_is_refused(tmp_path: Path):
    path = tmp_path / "w.pt"
    torch.save({"0.weight": torch.ones(1, 2), "0.bias": torch.zeros(1)}, path)
    # the pickle states 2 numbers in the storage of `0.weight`
    hostile = rewritten(
        path,
        tmp_path / "x.pt",
        data_pkl=lambda data: data.replace(b"K\x02tq\x07Q", b"J\xff\xff\xff\x7ftq\x07Q"),
    )
    assert zipfile.ZipFile(path).read("w/data.pkl") != zipfile.ZipFile(hostile).read("w/data.pkl")
    assert "more than weights, or is damaged" in _refusal(hostile, layers=[2, 1]).what


@pytest.mark.parametrize(
    "model",
    [
        b"",
        b"{}",
        b"[]",
        b"[" * 100_000,
        b'{"schema_version": {"major": 9, "minor": 1}}',
        b'{"schema_version": {"major": 8, "minor": 1}, "graph_module": 3}',
        b"\xff\xfe",
        json.dumps(float("nan")).encode(),
    ],
)
def test_graphs_that_are_none(model: bytes, archive: Path, tmp_path: Path):
    _refusal(rewritten(archive, tmp_path / "x.pt2", models_model=lambda _: model))


def test_every_truncation_is_refused(archive: Path, tmp_path: Path):
    whole = archive.read_bytes()
    for size in range(0, len(whole), len(whole) // 12):
        (tmp_path / "cut.pt2").write_bytes(whole[:size])
        _refusal(tmp_path / "cut.pt2")


def test_entries_missing_and_entries_twice(archive: Path, tmp_path: Path):
    for missing in ("data/weights/weight_0", "data/weights/model_weights_config.json", "models/"):
        with (
            zipfile.ZipFile(archive) as old,
            zipfile.ZipFile(tmp_path / "x.pt2", "w") as new,
        ):
            for info in old.infolist():
                if missing not in info.filename:
                    new.writestr(info.filename, old.read(info))
        _refusal(tmp_path / "x.pt2")
    double = rewritten(archive, tmp_path / "double.pt2")
    with zipfile.ZipFile(double, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("net/models/model.json", b"{}")
    assert "an entry twice" in _refusal(double).what


def test_paths_of_entries_lead_nowhere(archive: Path, tmp_path: Path):
    (tmp_path / "secret").write_bytes(bytes(32))

    def change(config: Any) -> None:
        config["config"]["0.weight"]["path_name"] = "../../../secret"

    hostile = rewritten(archive, tmp_path / "x.pt2", model_weights_config=edited(change))
    assert "lacks `data/weights/../../../secret`" in _refusal(hostile).what


def test_the_older_format_of_the_exporter_is_named(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "old.pt2", "w") as file:
        file.writestr("serialized_exported_program.json", "{}")
        file.writestr("version", "5.1")
    error = _refusal(tmp_path / "old.pt2")
    assert "older format" in error.what
    assert "torch.export.save" in error.hint


def test_a_network_that_changes_itself_is_refused(tmp_path: Path):
    class Counts(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return x + self.calls

    program = torch.export.export(Counts(), (torch.zeros(2, 2),))
    torch.export.save(program, tmp_path / "counts.pt2")
    assert "changes its own" in _refusal(tmp_path / "counts.pt2").what


def test_options_of_others_are_refused(archive: Path):
    for options in ({"layers": [2, 1]}, {"trust_torchscript": True}, {"module": "os:system"}):
        with pytest.raises(ConfigError, match="has no option"):
            load_teacher(archive, domain=BOX, **options)


def test_a_plain_pickle_named_as_an_archive(tmp_path: Path):
    (tmp_path / "model.pt2").write_bytes(pickle.dumps(Bomb(tmp_path / "proof")))
    _refusal(tmp_path / "model.pt2")
    assert not (tmp_path / "proof").exists()
