"""Hostile model files and tables, made by code: what each is, and what would happen if it ran.

Every maker writes one file at the path it is given. ``payload`` harms the canary when it is
unpickled.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyarrow as pa
import torch
from onnx import TensorProto, helper
from pyarrow import parquet

Make = Callable[[Path, object], object]


def _pickled(path: Path, payload: object) -> None:
    path.write_bytes(pickle.dumps(payload))


def _pickled_as_text(path: Path, payload: object) -> None:
    """Protocol 0 has no first byte that tells."""
    path.write_bytes(pickle.dumps(payload, protocol=0))


def _torch_whole(path: Path, payload: object) -> None:
    torch.save(payload, path)


def _torch_old(path: Path, payload: object) -> None:
    torch.save(payload, path, _use_new_zipfile_serialization=False)


def _torch_archive(pickled: bytes) -> Make:
    """An archive as torch writes it, around a pickle of ours."""

    def make(path: Path, payload: object) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("net/data.pkl", pickled)
            archive.writestr("net/version", "3\n")
            archive.writestr("net/byteorder", "little")

    return make


def _global(name: str, *arguments: bytes) -> bytes:
    """A pickle that calls a global with texts."""
    module, _, attribute = name.rpartition(".")
    texts = b"".join(b"X" + struct.pack("<I", len(a)) + a for a in arguments)
    return b"\x80\x02c" + f"{module}\n{attribute}\n".encode() + b"(" + texts + b"tR."


TORCH_GLOBALS = (
    "os.system",
    "torch.load",
    "torch.hub.load",
    "torch.jit.load",
    "torch.jit._unwrap_optional",
    "torch.serialization.load",
    "torch._utils._rebuild_tensor.__globals__",
    "torch.os.system",
    "torch._dynamo.guards.GuardBuilder.get",
    "torch.utils.collect_env.run",
    "torch.utils._config_module.load_config",
    "torch.utils.bottleneck.__main__.run_autograd_prof",
    "collections.OrderedDict.__init__.__globals__",
    "builtins.eval",
    "builtins.getattr",
    "numpy.load",
    "numpy.f2py.crackfortran.myeval",
    "functools.partial",
    "operator.methodcaller",
)
"""Globals by which scanners and weights-only readers have been got around."""


def _objects(path: Path, payload: object) -> None:
    with path.open("wb") as file:
        np.save(file, np.array([payload], dtype=object), allow_pickle=True)


def _objects_packed(path: Path, payload: object) -> None:
    with path.open("wb") as file:
        np.savez(file, net=np.array([payload], dtype=object))


def _parquet(path: Path, payload: object) -> None:
    table = pa.table({"a": [1.0, 2.0], "y": [3.0, 4.0]})
    parquet.write_table(table.replace_schema_metadata({b"pandas": pickle.dumps(payload)}), path)


def _parquet_extension(path: Path, payload: object) -> None:
    """A column of the type that Arrow once unpickled (CVE-2023-47248)."""
    kind = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": pickle.dumps(payload),
    }
    fields = [pa.field("a", pa.float64(), metadata=kind), pa.field("y", pa.float64())]
    columns = [pa.array([1.0, 2.0]), pa.array([3.0, 4.0])]
    parquet.write_table(pa.table(columns, schema=pa.schema(fields)), path)


def _parquet_bytes(path: Path, payload: object) -> None:
    column = pa.array([pickle.dumps(payload)] * 2, pa.binary())
    parquet.write_table(pa.table({"a": column, "y": [3.0, 4.0]}), path)


def _safetensors(head: bytes, stated: int | None = None, body: bytes = b"") -> Make:
    def make(path: Path, payload: object) -> None:
        size = len(head) if stated is None else stated
        path.write_bytes(struct.pack("<Q", size) + head + body)

    return make


def _tensor_head(**tensors: tuple[str, list[int], list[int]]) -> bytes:
    return json.dumps(
        {k: {"dtype": d, "shape": s, "data_offsets": o} for k, (d, s, o) in tensors.items()}
    ).encode()


def _zip(
    entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED, times: int = 1
) -> Make:
    def make(path: Path, payload: object) -> None:
        with zipfile.ZipFile(path, "w", method) as archive:
            for n in range(times):
                for name, data in entries:
                    archive.writestr(name.format(n), data)

    return make


def _overlapping(path: Path, payload: object) -> None:
    """A directory whose entries all are the same bytes, as in Fifield's zip bomb."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", bytes(10**7))
    data = stream.getvalue()
    at = data.rindex(b"PK\x01\x02")
    end = data.rindex(b"PK\x05\x06")
    entry = data[at:end]
    entries = b"".join(
        entry.replace(b"data.pkl", f"{n:08d}".encode()) if n else entry for n in range(2000)
    )
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 2000, 2000, len(entries), at, 0)
    path.write_bytes(data[:at] + entries + tail)


def _onnx(*nodes: Any, given: tuple[Any, ...] = (), opset: tuple[Any, ...] = ()) -> onnx.ModelProto:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])
    graph = helper.make_graph(list(nodes), "g", [x], [y], list(given))
    imports = [helper.make_opsetid("", 17), *opset]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def _saved(model: onnx.ModelProto) -> Make:
    return lambda path, payload: path.write_bytes(model.SerializeToString())


def _onnx_nested(path: Path, payload: object) -> None:
    """Subgraphs in subgraphs, written as bytes: protobuf itself would not serialise so deep."""
    inner = b""
    for _ in range(10_000):
        attribute = b"\x0a\x01b" + _field(6, inner) + b"\xa0\x01\x05"  # a graph called b
        node = b"\x0a\x01x\x12\x01y\x22\x02If" + _field(5, attribute)
        inner = _field(1, node)
    path.write_bytes(b"\x08\x08" + _field(7, inner) + _field(8, b"\x0a\x00\x10\x11"))


def _field(number: int, data: bytes) -> bytes:
    """A field of bytes as protobuf writes it."""
    size, rest = b"", len(data)
    while rest > 127:
        size, rest = size + bytes([rest & 127 | 128]), rest >> 7
    return bytes([number << 3 | 2]) + size + bytes([rest]) + data


def _csv(text: str | bytes) -> Make:
    data = text.encode() if isinstance(text, str) else text
    return lambda path, payload: path.write_bytes(data)


PICKLES: dict[str, Make] = {
    **{
        f"a pickle called {suffix}": _pickled
        for suffix in (
            ".onnx", ".safetensors", ".csv", ".skops", ".parquet", ".pt", ".pth", ".pt2", ".joblib",
            ".pkl", ".npy", ".npz", ".json", ".h5", ".dill", ".txt", ".bin", ".ckpt",
        )
    },
    **{
        f"a pickle in text called {suffix}": _pickled_as_text
        for suffix in (".onnx", ".safetensors", ".csv", ".skops", ".parquet", ".pt", ".txt")
    },
    **{f"a whole object of torch's called {s}": _torch_whole for s in (".pt", ".pth", ".pt2")},
    **{f"an old file of torch's called {s}": _torch_old for s in (".pt", ".pth", ".pt2")},
    **{
        f"an archive of torch's that calls {name} called .pt": _torch_archive(_global(name, b"x"))
        for name in TORCH_GLOBALS
    },
    **{f"an array of objects called {s}": _objects for s in (".npy", ".csv", ".pt", ".skops")},
    **{f"arrays of objects called {s}": _objects_packed for s in (".npz", ".pt", ".skops")},
    "binary columns called .parquet": _parquet_bytes,
}  # fmt: skip
"""By what they are; the suffix stands last."""

HARMLESS = {
    "pickles in the metadata called .parquet": _parquet,
    "an extension type of Arrow's called .parquet": _parquet_extension,
}
"""Tables with a pickle beside the data: read, and the pickle is not."""

_HUGE = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
_HUGE.dims[0] = 2**62
_NAMED = helper.make_node("Identity", ["x"], ["y"])

BOMBS: dict[str, Make] = {
    "a header of 2^63 bytes called .safetensors": _safetensors(b"{}", 2**63),
    "a header longer than the file called .safetensors": _safetensors(b"{}", 2**40),
    "a deep header called .safetensors": _safetensors(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "a tensor of 2^60 numbers called .safetensors": _safetensors(
        _tensor_head(a=("F32", [2**30, 2**30], [0, 4])), body=bytes(4)
    ),
    "a tensor that wraps around called .safetensors": _safetensors(
        _tensor_head(a=("F32", [2**32, 2**32], [0, 0]))
    ),
    "overlapping tensors called .safetensors": _safetensors(
        _tensor_head(a=("F32", [1], [0, 4]), b=("F32", [1], [0, 4])), body=bytes(4)
    ),
    "overlapping entries called .pt": _overlapping,
    "overlapping entries called .pt2": _overlapping,
    "overlapping entries called .skops": _overlapping,
    "zeros, 1000 to 1, called .skops": _zip([("schema.json", bytes(3 * 10**7))]),
    "zeros, 1000 to 1, called .pt": _zip([("net/data.pkl", bytes(3 * 10**7))]),
    "zeros, 1000 to 1, called .pt2": _zip([("net/archive_format", bytes(3 * 10**7))]),
    "bzip2, called .pt": _zip([("net/data.pkl", bytes(10**7))], zipfile.ZIP_BZIP2),
    "lzma, called .skops": _zip([("schema.json", bytes(10**7))], zipfile.ZIP_LZMA),
    "4,000 entries called .pt": _zip([("net/{}", b"")], zipfile.ZIP_STORED, 4_000),
    "4,000 entries called .skops": _zip([("{}", b"")], zipfile.ZIP_STORED, 4_000),
    "an entry above the folder called .pt": _zip([("../net", b"x"), ("net/data.pkl", b"x")], 0),
    "an absolute entry called .pt2": _zip([("/tmp/net", b"x"), ("net/archive_format", b"x")], 0),
    "subgraphs 10,000 deep called .onnx": _onnx_nested,
    "a tensor of 2^62 numbers called .onnx": _saved(_onnx(_NAMED, given=(_HUGE,))),
    "an operator of its own called .onnx": _saved(
        _onnx(
            helper.make_node("Run", ["x"], ["y"], domain="their.own"),
            opset=(helper.make_opsetid("their.own", 1),),
        )
    ),
    "a field of 20 MB called .csv": _csv("a,y\n1,2\n" + "3" * 20_000_000 + ",4\n"),
    "a quote that never ends called .csv": _csv('a,y\n1,2\n"' + "3,4\n" * 1_000_000),
    "zero bytes called .csv": _csv(b"a,y\n1,2\n\x00,3\n" + bytes(1000)),
    "a million columns called .csv": _csv("a," * 1_000_000 + "y\n" + "1," * 1_000_000 + "2\n"),
    "a number of a million digits called .csv": _csv("a,y\n1,2\n" + "9" * 1_000_000 + ",3\n"),
    "two columns alike called .csv": _csv("a,a,y\n1,2,3\n4,5,6\n"),
    "half a character called .csv": _csv(b"a,y\n1,2\n\xff\xfe,3\n"),
}
"""Files that would take the memory, the time or the machine."""


def suffix_of(name: str) -> str:
    """The suffix that a file of this name gets."""
    return name.rpartition(" ")[2]
