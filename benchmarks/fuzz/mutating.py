"""Changing inputs so that they stay well formed: JSON by its nodes, archives by their entries."""

from __future__ import annotations

import base64
import copy
import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from typing import Any

NUMBERS = (
    0, -0.0, 1, -1, 2, 0.5, 127, 128, 255, 256, 2**31 - 1, -(2**31), 2**53, 2**63, -(2**64), 1e308,
    5e-324, 1e-30, 10**400,
)  # fmt: skip
TEXTS = ("", "x", "a" * 300, "../../x", "\x00", "é", "1e999", "nan", "true", "__class__", "\ud800")
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], "text", 7, 1.5)


def places(data: Any) -> list[tuple[Any, Any]]:
    """Every place (container, key) below ``data``."""
    found: list[tuple[Any, Any]] = []
    rows = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in rows:
        found.append((data, key))
        if isinstance(value, dict | list):
            found += places(value)
    return found


def change(data: Any, rng: random.Random) -> Any:
    """A copy of parsed JSON in which some places hold something else."""
    if not isinstance(data, dict | list):
        return rng.choice(OTHERS)
    result = copy.deepcopy(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        spots = places(result)
        if not spots:
            break
        container, key = rng.choice(spots)
        match rng.randrange(8):
            case 0:
                del container[key]
            case 1:
                container[key] = rng.choice(OTHERS)
            case 2:  # what stands elsewhere
                other, place = rng.choice(spots)
                container[key] = copy.deepcopy(other[place])
            case 3 if isinstance(container, list):
                container.insert(key, copy.deepcopy(container[key]))
            case 4 if isinstance(container, dict):
                container[rng.choice(TEXTS)] = container[key]
            case _:
                container[key] = _other(container[key], rng)
    return result


def _other(value: Any, rng: random.Random) -> Any:
    """Something of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return rng.choice((value + 1, value - 1, -value, value * 2, rng.choice(NUMBERS)))
    if isinstance(value, float):
        factor = rng.choice((1 + 1e-15, 0.999, 1.001, 0.5, 2, -1, 1e6, 1e-6))
        return rng.choice((value * factor, value + 1, rng.choice(NUMBERS)))
    if isinstance(value, str):
        return rng.choice((_array(value, rng), _cut(value, rng), rng.choice(TEXTS)))
    return rng.choice(OTHERS)


def _cut(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) + 1)
    return rng.choice((text[:at], text[at:], text[:at] + rng.choice(TEXTS) + text[at:], text * 2))


def _array(text: str, rng: random.Random) -> str:
    """Base64 of numbers with one of them changed; other text as it is."""
    try:
        raw = bytearray(base64.b64decode(text, validate=True))
    except ValueError:
        return text
    if len(raw) < 8 or len(raw) % 8:
        return text
    at = 8 * rng.randrange(len(raw) // 8)
    number = struct.unpack_from("<d", raw, at)[0]
    new = rng.choice((number * 1.5, -number, 0.0, 1e300, float("nan"), float("inf"), number + 1))
    struct.pack_into("<d", raw, at, new)
    return base64.b64encode(raw).decode()


def json_bytes(data: bytes, most: int, seed: int) -> bytes:
    """JSON with other nodes; other bytes where ``data`` is no JSON, now and then even then."""
    rng = random.Random(seed)
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):
        return any_bytes(data, most, seed)
    if rng.random() < 0.1:
        return any_bytes(data, most, seed)
    try:
        return json.dumps(change(parsed, rng)).encode()[:most]
    except (ValueError, RecursionError):
        return data


def any_bytes(data: bytes, most: int, seed: int) -> bytes:
    """Changes as libFuzzer makes them."""
    import atheris

    mutated: bytes = atheris.Mutate(data or b"x", min(most, max(64, 2 * len(data))))
    return mutated


def archive_bytes(inside: Callable[[str], bool]) -> Callable[[bytes, int, int], bytes]:
    """Changes of one entry of a zip archive, as JSON where ``inside`` says so of its name."""

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                entries = [(info, archive.read(info)) for info in archive.infolist()]
        except Exception:  # whatever a broken archive raises
            return any_bytes(data, most, seed)
        if not entries or rng.random() < 0.15:
            return any_bytes(data, most, seed)
        weights = [8 if inside(info.filename) else 1 for info, _ in entries]
        chosen = rng.choices(range(len(entries)), weights)[0]
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for i, (info, content) in enumerate(entries):
                if i == chosen:
                    other = json_bytes if inside(info.filename) else any_bytes
                    changed = other(content, most, rng.getrandbits(31))
                else:
                    changed = content
                new = zipfile.ZipInfo(info.filename)
                new.compress_type = info.compress_type
                archive.writestr(new, changed)
        return buffer.getvalue()[:most]

    return mutate


def also_headed(size: int) -> Callable[[bytes, int, int], bytes]:
    """Changes of the JSON that follows its own length in ``size`` bytes, as safetensors has it."""

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        length = int.from_bytes(data[:size], "little")
        if random.Random(seed).random() < 0.3 or not 0 < length <= len(data) - size:
            return any_bytes(data, most, seed)
        head = json_bytes(data[size : size + length], most, seed)
        return (len(head).to_bytes(size, "little") + head + data[size + length :])[:most]

    return mutate
