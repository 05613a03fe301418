"""What a model takes: which columns of a point go into which of its tensors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import TeacherError
from distill.teachers.options import identifier

if TYPE_CHECKING:
    import onnx

WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
NUMBERS = ("float32", "float64", "float16", "bool", *WHOLE)


@dataclass(frozen=True, slots=True)
class Input:
    """A tensor that the model takes.

    Attributes
    ----------
    tensor : its name in the model.
    kind : numpy's name of its numbers.
    shape : of one point, without the dimension of the points.
    columns : the names of its columns, C identifiers.
    batch : how many points it takes at a time; 0 for any number.
    """

    tensor: str
    kind: str
    shape: tuple[int, ...]
    columns: tuple[str, ...]
    batch: int

    @property
    def width(self) -> int:
        """How many columns it takes."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Signature:
    """All that a model takes, in its own order."""

    inputs: tuple[Input, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The d columns in order."""
        return tuple(name for part in self.inputs for name in part.columns)

    @property
    def batch(self) -> int:
        """How many points it takes at a time; 0 for any number."""
        return self.inputs[0].batch

    @property
    def smooth(self) -> bool:
        """Whether every input is a number that can change by a little."""
        return all(part.kind.startswith("float") for part in self.inputs)

    @property
    def single(self) -> bool:
        """Whether the model takes no number finer than float32."""
        return all(part.kind != "float64" for part in self.inputs)

    def feed(self, x: Array, where: str) -> dict[str, npt.NDArray[Any]]:
        """The tensors for the points x (n, d).

        Raises
        ------
        TeacherError : for a fraction, or a number too large, where the model takes whole ones.
        """
        result, at = {}, 0
        for part in self.inputs:
            columns = x[:, at : at + part.width]
            at += part.width
            with np.errstate(over="ignore", invalid="ignore"):
                tensor = columns.astype(part.kind)
            if not part.kind.startswith("float") and (tensor.astype(float) != columns).any():
                i, k = np.argwhere(tensor.astype(float) != columns)[0]
                wanted = "0 or 1" if part.kind == "bool" else f"whole numbers of {part.kind}"
                raise TeacherError(
                    f"the input `{part.columns[k]}` takes {wanted}, not {columns[i, k]:.17g}.",
                    where=where,
                    hint="give its variable `kind: integer` (or `boolean`) and bounds that fit.",
                )
            result[part.tensor] = tensor.reshape(-1, *part.shape)
        return result

    def check_domain(self, domain: Domain, where: str) -> None:
        """Raise unless the domain's variables can be asked, in the model's order."""
        names = domain.names
        if len(names) != len(self.names):
            return  # told by whoever counts them
        if sorted(names) == sorted(self.names) and names != self.names:
            raise TeacherError(
                f"the domain has the model's inputs in another order: {', '.join(names)}.",
                where=where,
                hint=f"the model's own order is {', '.join(self.names)}.",
            )
        at = 0
        for part in self.inputs:
            for variable in domain.variables[at : at + part.width]:
                if not part.kind.startswith("float") and not variable.discrete:
                    raise TeacherError(
                        f"the model takes {part.kind} for the variable `{variable.name}`, which is "
                        "continuous.",
                        where=where,
                        hint=f"state it with `kind: "
                        f"{'boolean' if part.kind == 'bool' else 'integer'}`.",
                    )
            at += part.width


def read_signature(model: onnx.ModelProto, where: str) -> Signature:
    """What the model takes.

    Raises
    ------
    TeacherError : for inputs of text, without a dimension for the points, or whose number of
        columns the model leaves open.
    """
    stored = {tensor.name for tensor in model.graph.initializer}
    values = [value for value in model.graph.input if value.name not in stored]
    if not values:
        raise TeacherError(
            "the model takes no input.", where=where, hint="export it with its inputs."
        )
    inputs: list[Input] = []
    taken: set[str] = set()
    for value in values:
        inputs.append(_input(value, where, taken))
    batches = {part.batch for part in inputs}
    if len(batches) > 1:
        raise TeacherError(
            "the model's inputs take different numbers of points at a time: "
            + ", ".join(f"`{part.tensor}` {part.batch or 'any'}" for part in inputs)
            + ".",
            where=where,
            hint="export it with the first dimension of every input open.",
        )
    return Signature(tuple(inputs))


def _input(value: onnx.ValueInfoProto, where: str, taken: set[str]) -> Input:
    from onnx import helper

    where = f"{where}, input `{value.name}`"
    if value.type.WhichOneof("value") != "tensor_type":
        raise TeacherError(
            f"the input `{value.name}` is no tensor.",
            where=where,
            hint="export the model so that it takes arrays of numbers.",
        )
    tensor = value.type.tensor_type
    kind = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type)).name
    if kind not in NUMBERS:
        raise TeacherError(
            f"the input `{value.name}` takes {'text' if kind == 'object' else kind}, not numbers.",
            where=where,
            hint="export the model from behind its encoder, and number the categories.",
        )
    dims = [d.dim_value if d.HasField("dim_value") else 0 for d in tensor.shape.dim]
    shape = tuple(dims[1:])
    if not tensor.HasField("shape") or not dims or 0 in shape:
        shown = ", ".join(str(d.dim_param or d.dim_value or "?") for d in tensor.shape.dim)
        raise TeacherError(
            f"the input `{value.name}` has the shape ({shown}), which leaves open how many "
            "columns it takes."
            if dims
            else f"the input `{value.name}` has no dimension for the points.",
            where=where,
            hint="export it with a fixed number of columns behind the dimension of the points.",
        )
    if len(dims) == 1 and dims[0] > 1:
        raise TeacherError(
            f"the input `{value.name}` of shape ({dims[0]}) has no dimension for the points.",
            where=where,
            hint=f"export it with the shape (n, {dims[0]}).",
        )
    return Input(
        value.name, kind, shape, _columns(value.name, math.prod(shape), taken), max(dims[0], 0)
    )


def _columns(tensor: str, width: int, taken: set[str]) -> tuple[str, ...]:
    """Names for columns, each different from all others also where case does not count."""
    names = []
    for i in range(width):
        base = identifier(tensor if width == 1 else f"{tensor[:50]}_{i}")
        name, count = base, 1
        while name.lower() in taken:
            count += 1
            name = f"{base[:58]}_{count}"
        taken.add(name.lower())
        names.append(name)
    return tuple(names)
