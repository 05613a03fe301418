"""The shipped teacher against the library it was learned from."""

import subprocess
import sys

import numpy as np
import psychrolib
import pytest

from distill.errors import TeacherError
from distill.extremum import largest
from distill.formula import Formula
from distill.teachers.load import load_teacher, shipped
from distill.teachers.shipped.psychrometrics import wet_bulb_reference

CARD = next(entry for entry in shipped() if entry.name == "wet_bulb")


def test_is_within_its_stated_error_of_psychrolib_everywhere():
    teacher = load_teacher("wet_bulb")
    assert teacher.validation_error is not None
    assert teacher.validation_error < 0.001
    worst = largest(
        lambda x: teacher.predict(x)[:, 0] - wet_bulb_reference(x),
        teacher.domain,
        points=20_000,
        seed=7,
        gradient=None,
    )
    # psychrolib's own steps of 0.0005 degC let a new search find a little more.
    assert worst.value < 1.2 * teacher.validation_error


def test_says_what_it_is():
    teacher = load_teacher("wet_bulb")
    assert teacher.name == "wet_bulb"
    assert [(o.name, o.unit) for o in teacher.outputs] == [("wet_bulb", "degC")]
    assert [(v.name, v.low, v.high, v.unit) for v in teacher.domain.variables] == [
        ("temperature", 10, 50, "degC"),
        ("humidity", 5, 99, "percent"),
    ]
    assert len(CARD.description) > 20


def test_reference_is_psychrolib_and_leaves_its_settings_alone():
    psychrolib.SetUnitSystem(psychrolib.IP)
    tolerance = psychrolib.PSYCHROLIB_TOLERANCE
    try:
        answer = wet_bulb_reference(np.array([[20.0, 50.0], [50.0, 99.0]]))
        assert psychrolib.GetUnitSystem() == psychrolib.IP
        assert tolerance == psychrolib.PSYCHROLIB_TOLERANCE
    finally:
        psychrolib.SetUnitSystem(psychrolib.SI)
    expected = [psychrolib.GetTWetBulbFromRelHum(*a, 101325) for a in ((20, 0.5), (50, 0.99))]
    np.testing.assert_array_equal(answer, expected)


def test_reference_is_a_teacher_by_its_import_path():
    domain = load_teacher("wet_bulb").domain
    reference = load_teacher(CARD.reference, domain=domain)
    x = domain.sample(100)
    np.testing.assert_array_equal(reference.predict(x)[:, 0], wet_bulb_reference(x))


def test_published_formula_is_as_far_off_as_is_known():
    domain = load_teacher("wet_bulb").domain
    stull = Formula.parse(CARD.published["stull_2011"], domain)
    worst = largest(lambda x: stull(x) - wet_bulb_reference(x), domain, points=2000)
    assert worst.value == pytest.approx(1.164, abs=0.002)
    assert worst.x[1] == pytest.approx(5.0, abs=0.01)


def test_outputs_can_be_renamed_but_not_added():
    teacher = load_teacher("wet_bulb", outputs=[{"name": "t_wet", "unit": "K"}], name="wb")
    assert (teacher.name, teacher.outputs[0].name) == ("wb", "t_wet")
    with pytest.raises(TeacherError, match="2 are named"):
        load_teacher("wet_bulb", outputs=["a", "b"])


def test_asking_it_does_not_load_torchs_compiler():
    # It is not used and takes seconds to load.
    asked = (
        "import sys, numpy; from distill.teachers.load import load_teacher; "
        "teacher = load_teacher('wet_bulb'); teacher.predict(numpy.full((100, 2), 20.0)); "
        "assert teacher.chain is not None; "
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", asked], check=False, timeout=300).returncode == 0
