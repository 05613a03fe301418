"""What a network's file says about it besides the weights.

A safetensors file of ours has one metadata key, ``distill``, with this JSON:

    version           1
    name              a C identifier
    layers            widths from inputs to outputs, such as [2, 32, 32, 1]
    activation        between the layers; one of :data:`distill.teachers.mlp.FUNCTIONS`
    input_mean, input_scale, output_mean, output_scale
                      lists; the network sees (x - mean) / scale, and its answers are scaled back
    domain            as :meth:`Domain.to_json` writes it, or null
    outputs           [{"name": ..., "unit": ...}]
    validation_error  largest error against the reference, in the unit of output 0, or null
    reference         for people: where the truth is defined. Never imported because a file says so.
    description, published
                      for people: one line, and formulas from the literature by name

The tensors are ``layers.0.weight`` (out, in), ``layers.0.bias`` (out,), ``layers.1.weight`` ...
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import cast

from distill.domain import Domain
from distill.errors import DomainError, TeacherError
from distill.identifiers import why_not_identifier
from distill.reading import json_of
from distill.teachers.base import Output

VERSION = 1

ACTIVATIONS = ("tanh", "relu", "sigmoid", "elu", "gelu", "leaky_relu", "silu", "softplus", "sin")

HOW = "python pipelines/train_wet_bulb.py shows how such a file is written (`save_network`)."


@dataclass(frozen=True)
class Architecture:
    """Widths, activation and scaling of a multilayer perceptron."""

    layers: tuple[int, ...]
    activation: str = "tanh"
    input_mean: tuple[float, ...] = ()
    input_scale: tuple[float, ...] = ()
    output_mean: tuple[float, ...] = ()
    output_scale: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.layers) < 2 or not all(
            isinstance(w, int) and not isinstance(w, bool) and w > 0 for w in self.layers
        ):
            raise TeacherError(
                f"`layers` must list the widths from inputs to outputs, not {self.layers!r}.",
                hint="for two inputs, two hidden layers of 32 and one output: [2, 32, 32, 1].",
            )
        if self.activation not in ACTIVATIONS:
            raise TeacherError(
                f"`{self.activation}` is not a known activation.",
                hint=f"allowed: {', '.join(ACTIVATIONS)}.",
            )
        for key, width, default in (
            ("input_mean", self.layers[0], 0.0),
            ("input_scale", self.layers[0], 1.0),
            ("output_mean", self.layers[-1], 0.0),
            ("output_scale", self.layers[-1], 1.0),
        ):
            values = getattr(self, key) or (default,) * width
            if (
                len(values) != width
                or not all(type(v) in {int, float} and math.isfinite(v) for v in values)
                or (key.endswith("scale") and 0 in values)
            ):
                raise TeacherError(
                    f"`{key}` must be {width} finite numbers"
                    f"{' other than 0' if key.endswith('scale') else ''}, not {values!r}."
                )
            object.__setattr__(self, key, tuple(float(v) for v in values))


@dataclass(frozen=True)
class Card:
    """What a file of ours says about its network, besides the weights."""

    name: str
    architecture: Architecture
    outputs: tuple[Output, ...]
    domain: Domain | None = None
    validation_error: float | None = None
    reference: str | None = None
    description: str = ""
    published: Mapping[str, str] | None = None

    def to_json(self) -> str:
        """The text of the metadata key."""
        return json.dumps(
            {
                "version": VERSION,
                "name": self.name,
                **asdict(self.architecture),
                "outputs": [asdict(o) for o in self.outputs],
                "domain": json.loads(self.domain.to_json()) if self.domain else None,
                "validation_error": self.validation_error,
                "reference": self.reference,
                "description": self.description,
                "published": dict(self.published or {}),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        TeacherError : naming the key that is missing or wrong.
        """
        try:
            data = json_of(text)
        except ValueError as error:
            raise TeacherError(f"the metadata is no JSON: {error}.", hint=HOW) from None
        if not isinstance(data, dict) or data.get("version") != VERSION:
            raise TeacherError(
                f"the metadata is not of version {VERSION}.",
                hint="write the file again with this version of distill.",
            )
        for key, kind in (("name", str), ("layers", list), ("activation", str), ("outputs", list)):
            if not isinstance(data.get(key), kind):
                raise TeacherError(
                    f"the metadata lacks `{key}`, or it is no {kind.__name__}.", hint=HOW
                )
        if why := why_not_identifier(data["name"]):
            raise TeacherError(f"`{data['name']}` in the metadata cannot name a teacher: {why}.")
        off = data.get("validation_error")
        if not (off is None or (type(off) in {int, float} and 0 <= off < math.inf)):
            raise TeacherError(f"`validation_error` in the metadata is no error: {off!r}.")
        domain = data.get("domain")
        try:
            return cls(
                name=data["name"],
                architecture=read_architecture(data),
                outputs=read_outputs(data["outputs"]),
                domain=Domain.from_data(domain) if domain is not None else None,
                validation_error=off,
                reference=data.get("reference"),
                description=str(data.get("description", "")),
                published=data.get("published") or {},
            )
        except DomainError as wrong:
            raise TeacherError(f"the domain in the metadata: {wrong.what}") from None


def read_outputs(outputs: Sequence[object]) -> tuple[Output, ...]:
    """Outputs from names, {"name": ..., "unit": ...} mappings, or :class:`Output` themselves.

    Raises
    ------
    TeacherError : for names that are no identifiers or occur twice.
    """
    result = []
    for entry in outputs:
        if isinstance(entry, Output):
            result.append(entry)
        elif isinstance(entry, str):
            result.append(Output(entry))
        elif isinstance(entry, Mapping) and "name" in entry and set(entry) <= {"name", "unit"}:
            result.append(Output(str(entry["name"]), str(entry.get("unit", ""))))
        else:
            raise TeacherError(
                f"an output is a name or {{name, unit}}, not {entry!r}.", where="option `outputs`"
            )
    names = [o.name.lower() for o in result]
    for output in result:
        if why := why_not_identifier(output.name):
            raise TeacherError(
                f"`{output.name}` cannot name an output: {why}.", where="option `outputs`"
            )
        if names.count(output.name.lower()) > 1:
            raise TeacherError(f"two outputs are called `{output.name}`.", where="option `outputs`")
    if not result:
        raise TeacherError("a teacher has one output at least.", where="option `outputs`")
    return tuple(result)


def read_architecture(data: Mapping[str, object]) -> Architecture:
    """The architecture among the keys of a mapping.

    Raises
    ------
    TeacherError : naming the key that is missing or wrong.
    """
    if not data.get("layers"):
        raise TeacherError("`layers`, the widths of the network, are missing.", hint=HOW)
    found = {key: data[key] for key in Architecture.__dataclass_fields__ if data.get(key)}
    for key, value in found.items():
        if key != "activation" and not isinstance(value, list | tuple):
            raise TeacherError(f"`{key}` must be a list, not {value!r}.")
    plain = {k: v if isinstance(v, str) else tuple(cast(list[float], v)) for k, v in found.items()}
    return Architecture(**plain)  # type: ignore[arg-type]  # judged by its own checks
