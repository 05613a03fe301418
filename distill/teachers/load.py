"""The one loader: whatever a user calls a teacher becomes a :class:`Checked` one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from distill.domain import Domain
from distill.errors import ConfigError, TeacherError
from distill.identifiers import why_not_identifier
from distill.teachers.checked import Checked
from distill.teachers.recognise import recognise, shipped_files


@dataclass(frozen=True, slots=True)
class Shipped:
    """A teacher that comes with the package.

    ``reference`` is the import path of the truth it learned, a function (n, d) -> (n,);
    ``published`` are formulas from the literature by name, in the grammar of ``Formula.parse``.
    """

    name: str
    description: str
    reference: str | None
    published: Mapping[str, str]


def shipped() -> list[Shipped]:
    """The teachers that come with the package, by name."""
    from distill.teachers.network import read_card

    cards = [read_card(path) for path in shipped_files().values()]
    return [Shipped(c.name, c.description, c.reference, c.published or {}) for c in cards]


def load_teacher(
    source: object, *, kind: str | None = None, domain: Domain | None = None, **options: object
) -> Checked:
    """Whatever ``source`` is, as a teacher whose every answer is checked.

    Parameters
    ----------
    source : a shipped name (see :func:`shipped`); the path of a ``.safetensors`` file, of a
        ``.pt``/``.pth`` state_dict, of an ONNX model, of a ``torch.export`` (``.pt2``) or
        TorchScript archive, of a CSV or Parquet table; ``package.module:function``, which runs in
        a process of its own; a Python callable (n, d) -> (n,) or (n, k), which runs in
        this one; a ``torch.nn.Module``; a fitted estimator or Pipeline of scikit-learn, or its
        ``.skops`` file; a DataFrame; or a teacher already.
    kind : what a text is meant to be: shipped, torch, function, table or file (any file);
        found out if None.
    domain : the domain to distil over; the teacher's own (a file's, the bounds of a table) if None.
    options : by kind, None standing for "not given".
        All but teachers: ``name``, a C identifier. All but tables: ``outputs``, names or
        {name, unit} (one output if not given). Files of scikit-learn: ``trusted``, types that a
        skops file may hold besides scikit-learn's own; ``trust_pickle``, True to open a pickle or
        joblib file, which runs any code that is in it. Functions: ``vectorized`` (False: called
        with d numbers for one point). By import path also ``timeout`` (60 seconds for a batch) and
        ``batch`` (1024 points), ``cache`` (True or a folder keeps answers on disk), ``processes``
        and ``calls`` (at most so many new points). Simulators: those but ``batch``, and of
        equations ``t_end``, ``initial``, ``method``, ``rtol``, ``atol``, ``answer``,
        ``components``, ``samples``, ``steps``. ONNX: ``answers``, ``classes``, ``threads``,
        ``timeout``, ``batch``. Networks: ``classes``, ``probabilities``, ``input_shape``,
        ``device``, ``dtype``; blocks of them: ``block``, ``block_data``, ``block_positions``,
        ``block_margin``, ``block_quantile``; weights of a module by import path: ``module``,
        ``module_arguments``; TorchScript: ``trust_torchscript``. Weights without metadata:
        ``layers``, ``activation``, ``input_mean``, ``input_scale``, ``output_mean``,
        ``output_scale``. Tables: ``inputs``, ``output``, names of columns.

    Raises
    ------
    TeacherError : when there is no such teacher, it cannot be read safely, or does not fit the
        domain.
    ConfigError : for an option its kind does not have.
    """
    if domain is not None and not isinstance(domain, Domain):
        raise TeacherError(
            f"a {type(domain).__qualname__} is no domain.",
            where="argument `domain`",
            hint="make one: distill.Domain.box(speed=(0, 120, 'km/h'), load=(0, 1)).",
        )
    given = {key: value for key, value in options.items() if value is not None}
    reader, subject = recognise(source, kind)
    if unknown := [key for key in given if key not in reader.options]:
        raise ConfigError(
            f"{reader.title} has no option `{unknown[0]}`.",
            where=f"config key `teacher.options.{unknown[0]}`",
            hint=f"allowed: {', '.join(reader.options) or 'none'}.",
        )
    name = given.pop("name", None)
    if name is not None and (why := why_not_identifier(str(name))):
        raise ConfigError(
            f"`{name}` cannot name a teacher: {why}.", where="config key `teacher.options.name`"
        )
    return reader.load(subject, domain, None if name is None else str(name), given)
