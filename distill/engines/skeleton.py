"""A formula with free parts: what a user knows of the form, read from text.

``exp(-f(temperature)) * g(humidity, wind) + c1``: the functions of the formula grammar are as
usual; other functions of domain variables are *free parts*; ``c``, ``c1``, ``c2`` ... are free
constants unless the domain has a variable of that name. Numbers stay as they are written.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from distill.domain import Domain
from distill.errors import ConfigError, FormulaError
from distill.formula.operators import OPERATORS
from distill.formula.parse import parse
from distill.formula.tree import (
    Node,
    Number,
    Symbol,
    postorder,
    rewrite,
    substitute,
)

_USE = re.compile(r"(?<!\w)([A-Za-z_]\w*)\s*\(([\w\s,]*)\)", re.ASCII)
_CONSTANT = re.compile(r"(?<!\w)c\d*(?!\w)", re.ASCII)
_PART_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_HINT = "free parts look like `f(x)` or `g(x, y)`, of variables of the domain; free constants `c1`."

FIXED = 0
"""The label of a constant that stays as it is."""


@dataclass(frozen=True, slots=True)
class Part:
    """A free function and the arguments with which it is used; each use is listed once."""

    name: str
    uses: tuple[tuple[str, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The variables of the function itself: those of its first use."""
        return self.uses[0]

    def symbol(self, use: tuple[str, ...]) -> str:
        """How one use is called in the skeleton's tree; no variable can be called so."""
        return f"{self.name}({', '.join(use)})"


@dataclass(frozen=True)
class Skeleton:
    """The form, as a tree with a symbol for each use of a part and each free constant.

    Build it with :meth:`parse`.
    """

    text: str
    domain: Domain
    tree: Node
    parts: tuple[Part, ...]
    constants: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, domain: Domain, key: str = "engine.skeleton") -> Skeleton:
        """Read a skeleton.

        Raises
        ------
        ConfigError : naming ``key``, with what cannot be read and where.
        """
        where = f"config key `{key}`"
        uses: dict[str, dict[tuple[str, ...], None]] = {}
        stand_ins: dict[str, str] = {}
        taken = {*domain.names, *OPERATORS}

        def stand_in(match: re.Match[str]) -> str:
            name = match.group(1)
            if name in OPERATORS:
                return match.group(0)
            use = tuple(arg.strip() for arg in match.group(2).split(","))
            _check_use(name, use, domain, where)
            uses.setdefault(name, {})[use] = None
            # A word that is no variable, so that the usual parser can read the rest.
            meant = f"{name}({', '.join(use)})"
            word = "_".join((name, *use))
            while word in taken or stand_ins.get(word, meant) != meant:
                word += "_"
            stand_ins[word] = meant
            return word

        plain = _USE.sub(stand_in, text)
        constants = dict.fromkeys(_CONSTANT.findall(plain))
        constants = dict.fromkeys(name for name in constants if name not in domain.names)
        try:
            tree = parse(plain, [*domain.names, *stand_ins, *constants])
        except FormulaError as error:
            raise ConfigError(
                f"the skeleton `{text}` cannot be read: {error.what}",
                where=f"{where}, {error.where}" if error.where else where,
                hint=_HINT,
            ) from error
        tree = substitute(tree, {word: Symbol(use) for word, use in stand_ins.items()})
        parts = tuple(Part(name, tuple(found)) for name, found in uses.items())
        for part in parts:
            if len({len(use) for use in part.uses}) > 1:
                raise ConfigError(
                    f"`{part.name}` is used with different numbers of variables.",
                    where=where,
                    hint="give each free part a name of its own.",
                )
        if not parts and not constants:
            raise ConfigError(
                f"the skeleton `{text}` leaves nothing free.", where=where, hint=_HINT
            )
        return cls(text, domain, tree, parts, tuple(constants))

    @property
    def columns(self) -> tuple[str, ...]:
        """What the tree is a function of: the variables, each use of a part, the constants."""
        uses = [part.symbol(use) for part in self.parts for use in part.uses]
        return (*self.domain.names, *uses, *self.constants)

    def fill(self, parts: Mapping[str, Node], constants: Mapping[str, float]) -> Node:
        """The formula with the given functions (of :attr:`Part.names`) and constants put in."""
        return self._fill(parts, {name: Number(value) for name, value in constants.items()})

    def labels(self, parts: Mapping[str, Node]) -> list[int]:
        """Which constants of :meth:`fill`, in post-order, are the same one: they share a label.

        :data:`FIXED` marks the numbers that the skeleton itself has.
        """
        counter = 0

        def label(node: Node) -> Node:
            nonlocal counter
            if not isinstance(node, Number):
                return node
            counter += 1
            return Number(float(counter))

        labelled = {part.name: rewrite(parts[part.name], label) for part in self.parts}
        constants = {name: label(Number(0.0)) for name in self.constants}
        own = rewrite(self.tree, lambda n: Number(FIXED) if isinstance(n, Number) else n)
        filled = Skeleton(self.text, self.domain, own, self.parts, self.constants)._fill(
            labelled, constants
        )
        return [int(node.value) for node in postorder(filled) if isinstance(node, Number)]

    def _fill(self, parts: Mapping[str, Node], constants: Mapping[str, Node]) -> Node:
        bindings = dict(constants)
        for part in self.parts:
            for use in part.uses:
                renamed = dict(zip(part.names, map(Symbol, use), strict=True))
                bindings[part.symbol(use)] = substitute(parts[part.name], dict(renamed))
        return substitute(self.tree, bindings)

    def once(self) -> Part | None:
        """The free part, where it is the only thing that is free and stands in one place only."""
        if self.constants or len(self.parts) != 1 or len(self.parts[0].uses) != 1:
            return None
        part = self.parts[0]
        name = part.symbol(part.names)
        places = sum(isinstance(n, Symbol) and n.name == name for n in postorder(self.tree))
        return part if places == 1 else None


def _check_use(name: str, use: tuple[str, ...], domain: Domain, where: str) -> None:
    close = difflib.get_close_matches(name, OPERATORS, 1, cutoff=0.8) if len(name) > 2 else []
    if name in domain.names or close or not _PART_NAME.fullmatch(name):
        raise ConfigError(
            f"`{name}` cannot name a free part of a skeleton.",
            where=where,
            hint=f"did you mean `{close[0]}`?" if close else _HINT,
        )
    for arg in use:
        if arg not in domain.names:
            near = difflib.get_close_matches(arg, domain.names, 1)
            raise ConfigError(
                f"`{arg or ' '}` in `{name}({', '.join(use)})` is not a variable.",
                where=where,
                hint=f"did you mean `{near[0]}`?"
                if near
                else f"variables: {', '.join(domain.names)}.",
            )
    if len(set(use)) < len(use):
        raise ConfigError(
            f"`{name}({', '.join(use)})` names a variable twice.", where=where, hint=_HINT
        )
