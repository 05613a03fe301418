"""A formula as a torch module, to be trained further or put behind other layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch

from distill.errors import FormulaError
from distill.formula.program import compile_tree
from distill.formula.tree import Node

if TYPE_CHECKING:
    from distill.formula.formula import Formula

_TABLE: dict[str, Callable[..., torch.Tensor]] = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "neg": torch.neg,
    "pow": torch.pow,
    "square": torch.square,
    "cube": lambda a: a * a * a,
    "inv": torch.reciprocal,
    "sqrt": torch.sqrt,
    # torch has no cube root
    "cbrt": lambda a: torch.sign(a) * torch.abs(a) ** (1 / 3),
    "exp": torch.exp,
    "log": torch.log,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "asin": torch.asin,
    "acos": torch.acos,
    "atan": torch.atan,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "tanh": torch.tanh,
    "abs": torch.abs,
    "atan2": torch.atan2,
    "min": torch.minimum,
    "max": torch.maximum,
    "ifless": lambda a, b, then, otherwise: torch.where(a < b, then, otherwise),
}


class FormulaModule(torch.nn.Module):
    """A formula over the columns ``names``: (n, d) -> (n, 1), differentiable.

    It computes in float64 and where it was made; ``to(dtype)`` and ``to(device)`` change that, as
    of any module.

    ``constants`` (m,), in post-order, is a parameter if ``trainable`` and a buffer otherwise.
    Behind ``ifless`` a gradient is NaN where the branch not taken has no finite derivative.

    Raises
    ------
    FormulaError : for an operator that torch does not have, or an unknown variable.
    """

    constants: torch.Tensor

    def __init__(self, tree: Node, names: Sequence[str], trainable: bool = False) -> None:
        super().__init__()
        program = compile_tree(tree, names)
        for step in program.steps:
            if step.operator and step.operator not in _TABLE:
                raise FormulaError(
                    f"torch has no `{step.operator}`.",
                    where="distill.formula.to_torch",
                    hint="leave the operator out, or add it to the table there.",
                )
        self._steps = program.steps
        values = torch.from_numpy(program.constants.copy())
        if trainable:
            self.constants = torch.nn.Parameter(values)
        else:
            self.register_buffer("constants", values)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Values at the points x (n, d), shape (n, 1)."""
        x = x.to(self.constants)
        values: list[torch.Tensor] = []
        for step in self._steps:
            if step.operator:
                values.append(_TABLE[step.operator](*(values[i] for i in step.args)))
            elif step.constant:
                values.append(self.constants[step.source])
            else:
                values.append(x[:, step.source])
        return values[-1].expand(len(x)).unsqueeze(1)


class FormulasModule(torch.nn.Module):
    """Several formulas over the same columns: (n, d) -> (n, k), otherwise as the one."""

    def __init__(
        self, trees: Sequence[Node], names: Sequence[str], trainable: bool = False
    ) -> None:
        super().__init__()
        self.formulas = torch.nn.ModuleList(
            [FormulaModule(tree, names, trainable) for tree in trees]
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Values at the points x (n, d), shape (n, k)."""
        return torch.cat([formula(x) for formula in self.formulas], dim=1)


def formulas_to_torch(formulas: Sequence[Formula], trainable: bool = False) -> FormulasModule:
    """Formulas over one domain as one module, an output each.

    Raises
    ------
    FormulaError : for no formulas, or formulas whose domains have different variables.
    """
    if not formulas:
        raise FormulaError("there is no formula.", where="distill.formula.to_torch")
    names = formulas[0].domain.names
    for formula in formulas:
        if formula.domain.names != names:
            raise FormulaError(
                f"formulas of one module have the same variables, not {', '.join(names)} and "
                f"{', '.join(formula.domain.names)}.",
                where="distill.formula.to_torch",
                hint="write all of them over one domain.",
            )
    return FormulasModule([formula.tree for formula in formulas], names, trainable)
