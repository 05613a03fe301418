"""Objects that a user wrote as teachers: what they say of themselves is judged when loaded."""

from __future__ import annotations

from typing import Any

from distill.chain.chain import Chain
from distill.domain import Domain
from distill.errors import TeacherError
from distill.identifiers import why_not_identifier
from distill.teachers.base import Output

HINT = "docs/add-a-teacher.md tells what each attribute of a teacher must be."


def check_own(teacher: Any) -> None:
    """Refuse a teacher whose attributes are not what :mod:`distill.teachers.base` says.

    Raises
    ------
    TeacherError : naming the first of them.
    """
    where = f"teacher `{teacher.name}`, a {type(teacher).__qualname__}"
    if why := _why_not(teacher):
        raise TeacherError(f"the object is no teacher: {why}.", where=where, hint=HINT)


def _why_not(teacher: Any) -> str | None:
    if not isinstance(teacher.name, str) or (why := why_not_identifier(teacher.name)):
        return f"`name` is {teacher.name!r}" + (f": {why}" if isinstance(teacher.name, str) else "")
    outputs = teacher.outputs
    if not isinstance(outputs, tuple) or not all(isinstance(one, Output) for one in outputs):
        return "`outputs` is no tuple of `Output`s"
    names = [output.name.lower() for output in outputs]
    if not names or len(set(names)) < len(names):
        return "`outputs` names no output" if not names else "two outputs have the same name"
    for output in outputs:
        if why := why_not_identifier(output.name):
            return f"its output is called `{output.name}`: {why}"
    if not isinstance(teacher.fingerprint, str) or not teacher.fingerprint:
        return "`fingerprint` is no text"
    if teacher.domain is not None and not isinstance(teacher.domain, Domain):
        return "`domain` is neither a Domain nor None"
    return _why_not_more(teacher, len(outputs))


def _why_not_more(teacher: Any, outputs: int) -> str | None:
    """What is wrong with its classes and its chain, where it has any."""
    classes = getattr(teacher, "classes", ())
    if not isinstance(classes, tuple) or not all(isinstance(name, str) for name in classes):
        return "`classes` is no tuple of names"
    if classes and outputs != (1 if len(classes) == 2 else len(classes)):
        return (
            f"{len(classes)} classes do not go with {outputs} outputs; two have one output, the "
            "margin, more have a score each"
        )
    if len(classes) == 1:
        return "one class is nothing to tell apart"
    chain = getattr(teacher, "chain", None)
    if chain is None:
        return None
    if not isinstance(chain, Chain):
        return "`chain` is neither a Chain nor None"
    if chain.outputs != outputs:
        return f"its chain gives {chain.outputs} numbers and it has {outputs} outputs"
    if teacher.domain is not None and chain.inputs != len(teacher.domain):
        return f"its chain takes {chain.inputs} inputs and its domain has {len(teacher.domain)}"
    return None
