"""The engine's options: a few of our own, and every parameter of PySR that distill leaves alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from distill.engines.options import checked, defaults, did_you_mean, key_of, value_of, writable
from distill.engines.pysr.installed import Installed
from distill.errors import ConfigError

PRECISIONS = (16, 32, 64)

_DATA = "distill gives PySR its data: see the domain and the config group `sampling`."
_FILES = "distill keeps PySR's files in the folder of the study."
_OUTPUT = "distill reads what PySR prints and shows its own progress."
_OPERATORS = "use `engine.operators`, and `engine.options.custom_operators` for your own."

OWNED: Mapping[str, str] = {
    "operators": _OPERATORS,
    "binary_operators": _OPERATORS,
    "unary_operators": _OPERATORS,
    "expression_spec": "use `engine.skeleton`.",
    "guesses": "use `engine.options.seeds`: formulas of other engines and rounds go in by it.",
    "timeout_in_seconds": "use `engine.seconds`.",
    "max_evals": "use `engine.evaluations`.",
    "random_state": "use `engine.seed`.",
    "deterministic": "use `engine.evaluations`: a budget of them is searched deterministically.",
    "early_stop_condition": "use `engine.options.early_stop`.",
    "model_selection": "every equation becomes a candidate: use the config group `select`.",
    "select_k_features": "leave the inputs out of the domain.",
    "X": _DATA,
    "y": _DATA,
    "Xresampled": _DATA,
    "category": _DATA,
    "variable_names": _DATA,
    "weights": "use `engine.options.emphasis`.",
    "X_units": "use `engine.units`.",
    "y_units": "use `engine.units`.",
    "output_directory": _FILES,
    "run_id": _FILES,
    "temp_equation_file": _FILES,
    "tempdir": _FILES,
    "delete_tempfiles": _FILES,
    "verbosity": _OUTPUT,
    "update_verbosity": _OUTPUT,
    "progress": _OUTPUT,
    "input_stream": _OUTPUT,
    "output_jax_format": "formulas are exported by `distill export`.",
    "output_torch_format": "formulas are exported by `distill export`.",
    "update": "python -m pip install --upgrade pysr",
}
"""What distill tells PySR itself, and how a user says it to distill."""

NEW_IN_2 = frozenset(
    (
        "operators",
        "type_spec",
        "fraction_replaced_guesses",
        "weight_mutate_feature",
        "weight_backsolve",
        "mutations",
        "default_mutations",
        "worker_timeout",
        "worker_imports",
        "guesses",
        "plugins",
        "default_plugins",
        "use_tracing",
        "tracing_file",
    )
)
"""Parameters that PySR 1.5 does not have."""


@dataclass(frozen=True)
class PysrOptions:
    """How PySR searches. ``others`` are parameters of PySR, given to it as they are."""

    threads: int = 0  # 0: as many as the cluster's job or this process may use
    memory_gb: float = 0.0  # limit of the search's processes; 0: three quarters of what is free
    rows: int = 1000  # points that PySR sees; the rest of the sample still judges
    emphasis: float = 1.0  # how much more points weigh where known formulas are off; 0: none do
    early_stop: float = 0.05  # it ends below this part of the tolerance (RMS); 0: it never does
    precision: int = 64  # bits of PySR's numbers: 16, 32 or 64
    nested: bool = True  # whether functions within functions are held to what makes sense
    seeds: bool = True  # whether formulas known before go in
    warm_start: bool = True  # whether a next round goes on from the last
    custom_operators: tuple[str, ...] = ()  # operators of your own: `softplus(x) = log(1 + exp(x))`
    others: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in ("threads", "memory_gb", "emphasis", "early_stop"):
            self._require(key, getattr(self, key) >= 0, "give 0 or more.")
        self._require("rows", self.rows >= 2, "give a whole number of at least 2.")
        self._require("precision", self.precision in PRECISIONS, "give 16, 32 or 64.")

    def _require(self, key: str, met: bool, hint: str) -> None:
        if not met:
            raise ConfigError(f"`{key}` is {getattr(self, key)}.", where=key_of(key), hint=hint)


def read_options(data: Mapping[str, object], installed: Installed | None) -> PysrOptions:
    """The options of a config; names that are not ours are parameters of the installed PySR.

    Where PySR is not installed they are kept unchecked: no search can start without it.

    Raises
    ------
    ConfigError : naming the option that does not exist, cannot be given so, or is distill's own.
    """
    own = defaults(PysrOptions)
    ours: dict[str, object] = {}
    others: dict[str, object] = {}
    for key, value in data.items():
        if key in own:
            ours[key] = value_of(PysrOptions, key, value)
        elif key in OWNED:
            raise ConfigError(
                f"distill sets PySR's `{key}` itself.", where=key_of(key), hint=OWNED[key]
            )
        elif installed is None:
            others[key] = value
        else:
            others[key] = _parameter(key, value, installed, own)
    return PysrOptions(**ours, others=others)  # type: ignore[arg-type]


def _parameter(key: str, value: object, installed: Installed, own: Iterable[str]) -> object:
    """The value of a parameter of PySR."""
    pysr = f"PySR {installed.version}"
    if key in installed.renamed:
        raise ConfigError(
            f"`{key}` is called `{installed.renamed[key]}` now.",
            where=key_of(key),
            hint=f"rename it; {pysr} is installed.",
        )
    found = installed.parameters.get(key)
    if found is None and key in NEW_IN_2 and installed.release < (2, 0):
        raise ConfigError(
            f"`{key}` needs PySR 2, and {pysr} is installed.",
            where=key_of(key),
            hint="python -m pip install --upgrade 'pysr>=2,<3'",
        )
    if found is None:
        usable = [n for n, p in installed.parameters.items() if writable(p.annotation)]
        known = [*own, *(name for name in usable if name not in OWNED)]
        raise ConfigError(
            f"{pysr} has no parameter `{key}`, and distill no option.",
            where=key_of(key),
            hint=did_you_mean(key, known, 3)
            or "see the parameters of PySRRegressor: https://ai.damtp.cam.ac.uk/pysr/api/",
        )
    if not writable(found.annotation):
        raise ConfigError(
            f"PySR's `{key}` takes Python objects, which no config can hold.",
            where=key_of(key),
            hint="leave it out.",
        )
    return checked(key, value, found.annotation, found.default)
