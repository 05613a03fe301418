"""The C's own operations, checked against the teacher with every rounding among them."""

from __future__ import annotations

import copy
import hashlib
import json
import re

import numpy as np
import pytest

from distill.checking.balls import precise
from distill.checking.certificate import parse_certificate
from distill.checking.check import check
from distill.checking.choices import MOST, Choices, Unbounded
from distill.checking.coded import coded
from distill.checking.command import check_file, compare_source
from distill.checking.refusals import CertificateError, Rejected
from distill.checking.written import difference_in
from distill.domain import Domain, Variable
from distill.firmware.door import to_float
from distill.firmware.fixed.formats import hold
from distill.firmware.implementation import FixedImplementation, implement
from distill.firmware.names import Names
from distill.formula import Formula
from distill.proving.operations import implementation_data

from .making import certificate, raw

PLANE = Domain.box(x=(0.5, 3), y=(-2, 2))
WIDE = Domain((Variable("x", 0.01, 2000), Variable("n", 0, 7, kind="integer")))


def made(text, domain, arithmetic, accuracy=None):
    """The certificate of a formula that is its own teacher, and what its C answers."""
    formula = Formula.parse(text, domain)
    implementation = implement(formula, arithmetic, accuracy)
    program = implementation_data(implementation, floats=True)
    shown = json.loads(json.dumps(certificate(formula, formula, 0.5, None, program=program)))

    def answers(x):
        if isinstance(implementation, FixedImplementation):
            whole = implementation.integers(hold(x, domain))
            return to_float(whole, implementation.program.output)
        return implementation.graph.evaluate(x, arithmetic)

    return shown, formula, answers


def boxes(domain, rng, count):
    """Boxes of many widths, and floats in each."""
    for _ in range(count):
        ends = []
        for v in domain.variables:
            width = (v.high - v.low) * 10 ** rng.uniform(-5, -0.5)
            low = rng.uniform(v.low, v.high - width)
            pair = (low, low + width)
            if v.discrete:
                pair = np.floor(low), min(np.ceil(low + width), v.high)
            ends.append(pair)
        low, high = np.array(ends).T
        x = rng.uniform(low, high, (200, len(ends)))
        x[:, [v.discrete for v in domain.variables]] = np.rint(
            x[:, [v.discrete for v in domain.variables]]
        )
        x = x.astype(np.float32).astype(float)
        inside = ((x >= low) & (x <= high)).all(axis=1)
        yield (tuple(low.tolist()), tuple(high.tolist())), x[inside]


PLAIN = [
    "exp(x*y/4)", "log(x) + y", "sin(3*x)*y", "atan(x*y)", "tanh(y) + x", "x/(y + 3)",
    "abs(y)*x", "max(x, y)", "ifless(y, 0.5, x, x*y)", "cbrt(x)", "atan2(y, x)", "cos(40*y)",
]  # fmt: skip
SCALED = ["log(x)*n", "1/x + n", "sqrt(x) - n", "x^0.3", "n/(x + 1)", "exp(-x/100)*n", "sin(x/10)"]


@pytest.mark.parametrize(
    ("text", "domain", "arithmetic"),
    [(t, PLANE, "fixed") for t in PLAIN]
    + [(t, WIDE, "fixed") for t in SCALED]
    + [(t, PLANE, "float32") for t in PLAIN],
)
def test_the_c_is_where_it_is_said_to_be(text, domain, arithmetic):
    data, formula, answers = made(text, domain, arithmetic, 2e-2 if arithmetic == "fixed" else None)
    find = coded(parse_certificate(raw(data)))
    known = 0
    with precise():
        for box, x in boxes(domain, np.random.default_rng(1), 40):
            found = find(box)
            if not found.low.is_finite() or not len(x):
                continue
            known += 1
            off = answers(x) - formula(x)
            slack = 1e-14 * np.abs(formula(x)).max()
            assert float(found.low) - slack <= off.min()
            assert off.max() <= float(found.high) + slack
    assert known >= 15


def test_at_a_point_only_rounding_is_left():
    """Half a unit of each of two roundings and of the result's own, and no more."""
    data, _, _ = made("x + y", PLANE, "float32")
    with precise():
        found = coded(parse_certificate(raw(data)))(((1.5, 1.25), (1.5, 1.25)))
    assert 2.0**-23 <= float(found.high) <= 1.01 * 2.0**-23
    assert float(found.low) == -float(found.high)


@pytest.fixture(scope="module")
def good():
    """A formula of two inputs in integers; its own claim is a little more than its rounding."""
    teacher = Formula.parse("x*y/(x + 4) + 0.02*sin(3*x)", PLANE)
    formula = Formula.parse("x*y/(x + 4)", PLANE)
    program = implementation_data(implement(formula, "fixed", 1e-3), floats=True)
    data = certificate(formula, teacher, 0.0201, None, program=program)
    return json.loads(json.dumps(data))


def test_rounding_is_verified(good):
    _, verdict = check(raw(good))
    assert verdict.checked == (("formula", 0.0201), ("rounding", 0.001))
    assert not verdict.believed
    assert verdict.boxes > 10


def test_a_changed_shift_is_rejected(good):
    changed = 0
    for at, step in enumerate(good["program"]["steps"]):
        if not step[3]:
            continue
        data = copy.deepcopy(good)
        data["program"]["steps"][at][3] += 1
        with pytest.raises(Rejected):
            check(raw(data))
        changed += 1
    assert changed >= 3


def test_a_changed_constant_is_rejected(good):
    data = copy.deepcopy(good)
    step = next(s for s in data["program"]["steps"] if s[0] == "shift" and s[2])
    step[2] += (1 << step[3]) * 300
    with pytest.raises(Rejected):
        check(raw(data))


def test_a_word_that_overflows_is_rejected(good):
    data = copy.deepcopy(good)
    wide = [s for s in data["program"]["steps"] if s[0] == "mac"]
    for step in wide:
        step[2], step[4] = 2**31 - 1, []
    with pytest.raises(Rejected, match="not fit into 32 bits"):
        check(raw(data))


def test_a_lowered_rounding_is_not_verified(good):
    """The claim is less than the C's own rounding: it is said to be unchecked, and why."""
    data = copy.deepcopy(good)
    data["claims"][0]["bound"] = 0.02 + 1e-5
    data["claims"][1]["bound"] = 1e-9
    _, verdict = check(raw(data))
    assert [name for name, _ in verdict.checked] == ["formula"]
    assert verdict.believed == (("rounding", 1e-9),)
    assert "could only be bounded by 0.02" in verdict.reasons["rounding"]


def test_an_unknown_operation_is_named(good, tmp_path):
    data = copy.deepcopy(good)
    data["program"] = {"arithmetic": "float32", "steps": [["input", 0], ["kernel", [0]]]}
    file = tmp_path / "certificate.json"
    file.write_bytes(raw(data))
    told = check_file(file, teacher="", jobs=1, budget=100)
    assert "not checked here: there is no enclosure of the C's operation `kernel` (step 1)" in told


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["arithmetic"], "decimal"),
        (["steps"], []),
        (["inputs"], [3]),
        (["output"], 1000),
        (["door"], "both"),
        (["steps", 0], ["input", [], 2, 0, []]),
        (["steps", 0], ["add", [0, 0], 0, 0, []]),
        (["steps", 0], ["jump", [], 0, 0, []]),
        (["steps", 0], ["constant", [], 2**70, 0, []]),
        (["steps", 0], ["constant", [], 0, 10**9, []]),
        (["steps", 0], ["constant", [], 0, 0, ["quick"]]),
        (["steps", 0], ["constant", [], True, 0, []]),
    ],
)
def test_damaged_programs_are_refused(good, path, value):
    data = copy.deepcopy(good)
    at = data["program"]
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    with pytest.raises(CertificateError):
        check(raw(data))


def test_a_constant_that_float32_does_not_hold_is_refused(good):
    data = good | {"program": {"arithmetic": "float32", "steps": [["constant", 0.1]]}}
    with pytest.raises(CertificateError, match="float32 does not hold"):
        check(raw(data))


def text_of(text, domain):
    """The C of a formula called `f`."""
    return implement(Formula.parse(text, domain), "fixed", 2e-2).text("f", Names("f"))


ASK = {"teacher": "", "jobs": 1, "budget": 100}


@pytest.mark.parametrize(
    ("text", "domain"), [(t, PLANE) for t in PLAIN] + [(t, WIDE) for t in SCALED]
)
def test_statements_are_compared_with_the_operations(text, domain):
    data, _, _ = made(text, domain, "fixed", 2e-2)
    program = parse_certificate(raw(data)).program
    code = text_of(text, domain)
    assert difference_in(program, "f", code) == ""
    digits = list(re.finditer(r"(?<!int)(?<!int32_t t)\b\d+\b", re.sub(r"/\*.*?\*/", "", code)))
    bare = re.sub(r"/\*.*?\*/", "", code)
    assert digits or text == "max(x, y)"
    for found in digits:
        edited = f"{bare[: found.start()]}{int(found[0]) + 1}{bare[found.end() :]}"
        assert difference_in(program, "f", edited) != ""


def test_one_unit_of_a_constant_is_noticed(tmp_path):
    data, _, _ = made("x/(y + 3)", PLANE, "fixed", 2e-2)
    code = text_of("x/(y + 3)", PLANE).encode()
    data["source"] = {"name": "f.c", "sha256": hashlib.sha256(code).hexdigest()}
    (tmp_path / "f.c").write_bytes(code)
    assert "statements are" in compare_source(parse_certificate(raw(data)), tmp_path)
    step = next(s for s in data["program"]["steps"] if s[0] == "constant")
    step[2] += 1
    with pytest.raises(Rejected, match="are not those of"):
        compare_source(parse_certificate(raw(data)), tmp_path)


def test_the_file_beside_is_compared(good, tmp_path):
    file = tmp_path / "certificate.json"
    data = good | {"program": {"arithmetic": "float32", "steps": [["input", 0]]}}
    digest = hashlib.sha256(b"int x;").hexdigest()
    kept = parse_certificate(raw(data | {"source": {"name": "f.c", "sha256": digest}}))
    assert "f.c, not beside the certificate" in compare_source(kept, tmp_path)
    (tmp_path / "f.c").write_bytes(b"int x;")
    assert compare_source(kept, tmp_path) == "f.c, the very file by its SHA-256"
    (tmp_path / "f.c").write_bytes(b"int y;")
    with pytest.raises(Rejected, match="is not the file"):
        compare_source(kept, tmp_path)
    file.write_bytes(raw(good | {"source": {"name": "g.c", "sha256": digest}}))
    assert "g.c, not beside the certificate: not compared" in check_file(file, **ASK)


@pytest.mark.parametrize("name", ["../f.c", "/f.c", "f.h", "a b.c"])
def test_no_other_place_is_read(good, name):
    data = good | {"source": {"name": name, "sha256": "0" * 64}}
    with pytest.raises(CertificateError, match="beside"):
        check(raw(data))


def test_every_case_is_taken_once():
    choices, seen = Choices(), []
    while True:
        first = choices.take(3)
        seen.append((first, choices.take(2) if first else 0))
        if not choices.again():
            break
    assert seen == [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1)]


def test_too_many_cases_are_refused():
    choices = Choices()
    for _ in range(MOST - 1):
        choices.take(MOST + 1)
        assert choices.again()
    choices.take(MOST + 1)
    with pytest.raises(Unbounded):
        choices.again()
