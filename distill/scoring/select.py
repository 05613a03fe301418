"""The rules that choose one candidate, as pure functions in a table.

No rule but ``by_id`` ever chooses a formula that misses the tolerance: it chooses none then, and
the reason says how near the best one came.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from distill.errors import ConfigError
from distill.figures import upward
from distill.scoring.pareto import knee

VERSION = 1


@dataclass(frozen=True, slots=True)
class Row:
    """What the rules know of a candidate.

    ``max_error`` is the largest error that was found, or the proven bound where the wish is for
    that; ``cost`` is in instructions (or cycles) a call on the target, None where it was not
    measured; ``agreement`` the part of the points with the teacher's label, None where there are no
    labels.
    """

    id: str
    complexity: int
    cost: float | None
    max_error: float
    agreement: float | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted: the tolerance, and what some rules need besides.

    ``margin`` is the part of the tolerance kept back (0 to 1), ``max_complexity`` the budget of
    ``most_accurate`` in nodes, ``max_cost`` its budget in instructions, ``candidate`` the id for
    ``by_id``, ``min_agreement`` the part of equal labels for ``agrees``; ``unit`` is that of the
    errors and ``cost_unit`` that of costs, for the reason. ``certified`` says that the rows' errors
    are proven bounds; ``unproven`` why candidates have none and are no rows.
    """

    tolerance: float
    margin: float = 0.0
    max_complexity: int | None = None
    max_cost: float | None = None
    candidate: str | None = None
    min_agreement: float | None = None
    unit: str = ""
    cost_unit: str = "instructions"
    certified: bool = False
    unproven: str = ""

    def allows(self, row: Row) -> bool:
        """Whether the candidate's largest error is within the tolerance less the margin."""
        return row.max_error <= self.limit

    @property
    def limit(self) -> float:
        """The largest error that is accepted."""
        return self.tolerance * (1 - self.margin)


@dataclass(frozen=True, slots=True)
class Selection:
    """The id of the chosen candidate, or None; the rule; and in a sentence or two why."""

    id: str | None
    rule: str
    reason: str

    def to_data(self) -> dict[str, object]:
        """A versioned plain form."""
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> Selection:
        """Read what :meth:`to_data` gave."""
        chosen = data["id"]
        return cls(None if chosen is None else str(chosen), str(data["rule"]), str(data["reason"]))


Choice = tuple[Row | None, str]
"""The chosen row, or None, and the reason."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name, one line for people, and the function that chooses."""

    name: str
    description: str
    pick: Callable[[Sequence[Row], Wish], Choice]


def choose(rows: Sequence[Row], rule: str, wish: Wish) -> Selection:
    """Choose among the candidates by a rule of :data:`RULES`.

    Raises
    ------
    ConfigError : for an unknown rule, a missing or unusable option of it, or an unknown id.
    """
    if rule not in RULES:
        raise ConfigError(
            f"`{rule}` is not a rule.",
            where="config key `select.rule`",
            hint=f"allowed: {', '.join(RULES)}.",
        )
    if not (wish.tolerance > 0 and math.isfinite(wish.tolerance)):
        raise ConfigError(
            f"the tolerance must be a positive number, not {wish.tolerance}.",
            where="config key `tolerance`",
            hint="state the largest error that is acceptable, in the unit of the output.",
        )
    if not 0 <= wish.margin < 1:
        raise ConfigError(
            f"the margin must be at least 0 and below 1, not {wish.margin}.",
            where="config key `select.margin`",
            hint="it is the part of the tolerance kept back; 0.01 keeps back one per cent.",
        )
    if wish.certified and not rows:
        return Selection(None, rule, _nothing_proven(wish))
    row, reason = RULES[rule].pick(rows, wish)
    return Selection(row.id if row else None, rule, reason)


def _cheapest(rows: Sequence[Row], wish: Wish) -> Choice:
    row = _cheapest_within(rows, wish)
    if row is None:
        return None, _nothing(rows, wish)
    return row, f"The cheapest formula within the tolerance: {_facts(row, wish)}."


def _knee(rows: Sequence[Row], wish: Wish) -> Choice:
    bend = knee([(row.complexity, row.max_error) for row in rows])
    if bend is not None and wish.allows(rows[bend]):
        return rows[bend], f"Where the front bends most: {_facts(rows[bend], wish)}."
    row = _cheapest_within(rows, wish)
    if row is None or bend is None:
        return None, _nothing(rows, wish)
    return row, (
        f"The front bends most at an error of {_error(rows[bend].max_error, wish)}, which misses "
        f"the tolerance; the cheapest formula within it: {_facts(row, wish)}."
    )


def _most_accurate(rows: Sequence[Row], wish: Wish) -> Choice:
    if wish.max_complexity is None and wish.max_cost is None:
        raise ConfigError(
            "the rule `most_accurate` needs a budget.",
            where="config keys `select.max_complexity` and `select.max_instructions`",
            hint="state the most nodes a formula may have, such as select.max_complexity=30, or "
            "the most instructions a call may take.",
        )
    if wish.max_complexity is not None and wish.max_complexity < 1:
        raise ConfigError(
            f"a formula of at most {wish.max_complexity} nodes does not exist.",
            where="config key `select.max_complexity`",
            hint="state one node or more.",
        )
    affordable = [row for row in rows if _affordable(row, wish)]
    budgets = [(wish.max_complexity, "nodes"), (wish.max_cost, wish.cost_unit)]
    budget = " and ".join(f"{most:g} {what}" for most, what in budgets if most is not None)
    if not affordable:
        return None, f"No formula is within the budget of {budget}. Next: allow more."
    row = min(affordable, key=lambda r: (r.max_error, *_price(r)))
    if not wish.allows(row):
        return None, f"Within the budget of {budget}: {_nothing(affordable, wish)}"
    return row, f"The most accurate formula within {budget}: {_facts(row, wish)}."


def _agrees(rows: Sequence[Row], wish: Wish) -> Choice:
    wanted = wish.min_agreement
    if wanted is None:
        raise ConfigError(
            "the rule `agrees` needs to know how often labels must be the teacher's.",
            where="config key `select.min_agreement`",
            hint="state a part, such as select.min_agreement=0.99.",
        )
    known = [row for row in rows if row.agreement is not None]
    if not known:
        raise ConfigError(
            "the rule `agrees` compares labels, and this teacher gives none.",
            where="config key `select.rule`",
            hint="it is for outputs of classifiers of two classes; use select=cheapest.",
        )
    good = [row for row in known if (row.agreement or 0.0) >= wanted]
    row = min(good, key=lambda r: (*_price(r), r.max_error), default=None)
    if row is None:
        best = max(row.agreement or 0.0 for row in known)
        return None, (
            f"No formula gives the teacher's label at {wanted:.4%} of the points: the best one at "
            f"{best:.4%}. Next: ask for less, or allow more complexity or time."
        )
    return row, (
        f"The cheapest formula with the teacher's label at {row.agreement:.4%} of the points "
        f"(asked: {wanted:.4%}): {_facts(row, wish)}."
    )


def _by_id(rows: Sequence[Row], wish: Wish) -> Choice:
    ids = [row.id for row in rows]
    if not wish.candidate:
        raise ConfigError(
            "the rule `by_id` needs the id of a candidate.",
            where="config key `select.candidate`",
            hint="the table of the front and MLflow show the ids.",
        )
    found = [row for row in rows if row.id.startswith(wish.candidate)]
    if len(found) != 1:
        close = [row.id for row in found] or difflib.get_close_matches(wish.candidate, ids)
        raise ConfigError(
            f"{'several candidates begin' if found else 'no candidate begins'} with "
            f"`{wish.candidate}`.",
            where="config key `select.candidate`",
            hint=f"did you mean {' or '.join(close)}?"
            if close
            else "the table of the front and MLflow show the ids.",
        )
    row = found[0]
    missed = "" if wish.allows(row) else (
        f" It misses the tolerance of {_error(wish.tolerance, wish)}: "
        "where it does, the table takes over."
    )  # fmt: skip
    return row, f"Chosen by its id: {_facts(row, wish)}.{missed}"


RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("cheapest", "the cheapest formula within the tolerance", _cheapest),
        Rule("knee", "where the front of error against complexity bends most", _knee),
        Rule("most_accurate", "the most accurate formula within a budget", _most_accurate),
        Rule("agrees", "the cheapest formula whose labels are the teacher's", _agrees),
        Rule("by_id", "the one a person names by its id", _by_id),
    )
}
"""All rules by name."""


def _cheapest_within(rows: Sequence[Row], wish: Wish) -> Row | None:
    within = [row for row in rows if wish.allows(row)]
    return min(within, key=lambda r: (*_price(r), r.max_error), default=None)


def _price(row: Row) -> tuple[float, float]:
    """Instructions, then complexity; what was not measured comes after what was."""
    return (math.inf if row.cost is None else row.cost, float(row.complexity))


def _affordable(row: Row, wish: Wish) -> bool:
    if wish.max_complexity is not None and row.complexity > wish.max_complexity:
        return False
    return wish.max_cost is None or (row.cost is not None and row.cost <= wish.max_cost)


def _error(value: float, wish: Wish) -> str:
    return f"{value:.4g} {wish.unit}".rstrip()


def _facts(row: Row, wish: Wish) -> str:
    cost = f", {row.cost:,.0f} {wish.cost_unit} a call" if row.cost is not None else ""
    if wish.certified:
        off = f"proven to be off by at most {upward(row.max_error)} {wish.unit}".rstrip()
    else:
        off = f"found to be off by up to {_error(row.max_error, wish)}"
    return f"{off}, {row.complexity:,} nodes{cost}"


def _nothing(rows: Sequence[Row], wish: Wish) -> str:
    best = min((row.max_error for row in rows), default=math.inf)
    asked = f"the tolerance of {_error(wish.tolerance, wish)}"
    if wish.margin:
        asked += f" less the margin of {100 * wish.margin:g} %"
    todo = "raise the tolerance, the complexity that is allowed, or the time for the search"
    if not math.isfinite(best):
        demanded = "" if rows else " and keeps to what the engine was told to demand"
        return (
            f"Nothing is within {asked}: no formula has finite values everywhere on the domain"
            f"{demanded}. Next: {todo}, or leave out operators that can fail, such as div and log."
        )
    if wish.certified:
        return (
            f"Nothing is proven to be within {asked}: the smallest proven bound is "
            f"{_error(best, wish)}. Next: {todo}, allow more boxes (score.proof_boxes), or choose "
            "by what was found (select.bound=found)."
        )
    return (
        f"Nothing is within {asked}: the best formula is off by {_error(best, wish)}. Next: {todo}."
    )


def _nothing_proven(wish: Wish) -> str:
    why = wish.unproven.rstrip(".") or "no formula was bounded within score.proof_boxes"
    return (
        f"No candidate has a proven bound, and select.bound=certified takes no other: {why}. "
        "Next: choose by what was found (select.bound=found)."
    )
