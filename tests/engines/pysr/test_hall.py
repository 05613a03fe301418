"""What Julia writes and prints, read without it."""

import numpy as np
import pytest

from distill.domain import Domain
from distill.engines.base import Budget, Problem
from distill.engines.news import News
from distill.engines.pysr.hall import Hall
from distill.engines.pysr.installed import find
from distill.engines.pysr.options import PysrOptions
from distill.engines.pysr.printed import Printed, printed
from distill.engines.pysr.request import make_request
from distill.sampling.sample_set import SampleSet

NAMES = ("temperature", "humidity", "pressure")


@pytest.fixture
def hall(pysr_version, tmp_path):
    """An empty hall of fame of a search for 2 cos(humidity) + temperature^2 - 2."""
    domain = Domain.box(**dict.fromkeys(NAMES, (-2.0, 2.0)))
    x = domain.sample(80, seed=1)
    y = 2 * np.cos(x[:, 1]) + x[:, 0] ** 2 - 2
    sample = SampleSet(domain, x, y, np.empty((0, 3)))
    costs = dict.fromkeys(("add", "sub", "mul", "cos", "square"), 1.0)
    problem = Problem(sample, 1e-3, costs, 30, Budget(evaluations=10), 0)
    request = make_request(problem, PysrOptions(), find(), 1)
    return Hall(tmp_path, request, News(sample))


@pytest.fixture
def recorded(request):
    """The text of a recorded file, with PySR's names for the inputs."""

    def read(name):
        text = (request.path.parent / "data" / name).read_text()
        for i, name in enumerate(NAMES):
            text = text.replace(name, f"x{i}")
        return text

    return read


pytestmark = pytest.mark.parametrize("pysr_version", ["2.7"], indirect=True)


@pytest.mark.parametrize("version", ["1.5.10", "2.0.0a2"])
def test_a_recorded_run_is_read_as_it_was_written(hall, recorded, version):
    text = recorded(f"{version}/hall_of_fame.csv")
    lines = text.splitlines()
    # As it comes: the first rows, then half of the file, then all of it.
    (hall.folder / "hall_of_fame.csv").write_text("\n".join(lines[:4]) + "\n")
    first = list(hall.better())
    assert [c.formula.text for c in first][1] == "square(temperature)"
    assert list(hall.better()) == []
    (hall.folder / "hall_of_fame.csv").write_text(text[: len(text) // 2])
    (hall.folder / "hall_of_fame.csv.bak").write_text(text)
    then = [*hall.better(), *hall.rest()]
    found = {dict(c.metrics)["pysr_complexity"]: c for c in [*first, *then]}
    assert sorted(found) == [float(line.split(",")[0]) for line in lines[1:]]
    assert list(hall.rest()) == []
    # What PySR says of each row is true of what was read.
    sample = hall.news.sample
    last = found[max(found)]
    assert dict(last.metrics)["pysr_loss"] == float(lines[-1].split(",")[1])
    if dict(last.metrics)["pysr_loss"] == 0.0:
        assert np.abs(last.formula(sample.x) - sample.y).max() < 1e-12


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\x00\xfe" * 5000,
        b"Complexity,Loss,Equ",
        b"Complexity,Loss,Equation\n",
        b"Complexity,Loss,Equation\n1,",
        b"a,b\n1,2\n",
        b'Complexity,Loss,Equation\n1,NaN,"x0"\n2,0.5,"gamma(x0)"\n3,0.1,"log(x0 - 100.0)"\n',
        b'Complexity,Loss,Equation\n1,0.5,"' + b"sin(" * 50_000 + b"x0" + b")" * 50_000 + b'"\n',
    ],
    ids=lambda content: repr(content[:40]),
)
def test_what_is_no_hall_of_fame_is_none(hall, content):
    (hall.folder / "hall_of_fame.csv").write_bytes(content)
    assert [*hall.better(), *hall.rest()] == []


def test_none_at_all(hall):
    assert [*hall.better(), *hall.rest()] == []


BLOCK = """
Expressions evaluated per second: {speed}
Progress: {done} / 310 total iterations (3.226%)
═══════════════════════════════════════
Complexity  Loss       Score      Equation
1           1.230e+00  0.000e+00  y = x₀
═══════════════════════════════════════
"""


class TestPrinted:
    def test_the_last_block_counts(self, tmp_path, pysr_version):
        log = tmp_path / "julia.log"
        old = (
            b"Progress: 99 / 100 total iterations (99%)\nExpressions evaluated per second: 9e+09\n"
        )
        blocks = BLOCK.format(speed="1.000e+03", done=31) + BLOCK.format(speed="1.230e+04", done=62)
        log.write_bytes(old + b"\xff\x00 [ Info: Started!\n" + blocks.encode())
        assert printed(log, len(old), 1) == Printed(62, 12300.0)
        assert printed(log, len(old), 31) == Printed(2, 12300.0)

    def test_nothing_was_printed_since(self, tmp_path, pysr_version):
        log = tmp_path / "julia.log"
        log.write_text(BLOCK.format(speed="1.000e+03", done=31))
        assert printed(log, log.stat().st_size, 1) == Printed()
        assert printed(tmp_path / "none.log", 0, 1) == Printed()
