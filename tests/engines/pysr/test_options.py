"""The options of engine=pysr: ours, PySR's own by its installed signature, and mistakes."""

import re
import sys
from pathlib import Path

import pytest

from distill.engines.options import writable
from distill.engines.pysr.installed import Installed, find
from distill.engines.pysr.options import NEW_IN_2, OWNED, PysrOptions, read_options
from distill.errors import ConfigError

NEW = find()
OLD = Installed("1.5.10", Path(sys.prefix) / "pysr-1.5" / "pysr")


def refused(data, installed=NEW):
    with pytest.raises(ConfigError) as caught:
        read_options(data, installed)
    return caught.value


@pytest.mark.parametrize("installed", [NEW, OLD, None])
def test_nothing_given_is_the_defaults(installed):
    assert read_options({}, installed) == PysrOptions()


def test_ours_and_those_of_pysr_are_told_apart():
    options = read_options(
        {
            "rows": 200,
            "emphasis": 2,
            "warm_start": False,
            "custom_operators": ["sq(x) = x*x"],
            "populations": 8,
            "parsimony": 0.01,
            "nested_constraints": {"exp": {"exp": 0}},
            "constraints": {"^": [-1, 1], "exp": 5},
            "batching": "auto",
            "maxdepth": None,
            "cluster_manager": "slurm",
        },
        NEW,
    )
    assert (options.rows, options.emphasis, options.warm_start) == (200, 2, False)
    assert options.custom_operators == ("sq(x) = x*x",)
    assert options.others == {
        "populations": 8,
        "parsimony": 0.01,
        "nested_constraints": {"exp": {"exp": 0}},
        "constraints": {"^": (-1, 1), "exp": 5},
        "batching": "auto",
        "maxdepth": None,
        "cluster_manager": "slurm",
    }


@pytest.mark.parametrize("installed", [NEW, OLD])
def test_every_default_of_pysr_is_accepted_unless_it_is_ours(installed):
    """What is in the signature can be given, and is of the type that it says."""
    given = {
        name: p.default
        for name, p in installed.parameters.items()
        if name not in OWNED and writable(p.annotation)
    }
    assert len(given) > 60
    read = read_options(given, installed)
    mixed = given | read.others
    assert mixed == given


@pytest.mark.parametrize(
    ("data", "what", "hint"),
    [
        (
            {"popluations": 8},
            "has no parameter `popluations`, and distill no option",
            "`populations`",
        ),
        ({"treads": 8}, "no parameter `treads`", "did you mean `threads`?"),
        ({"earlystop": 1}, "no parameter `earlystop`", "`early_stop`"),
        ({"zzzz": 8}, "no parameter `zzzz`", "https://ai.damtp.cam.ac.uk/pysr/api/"),
        ({"npop": 8}, "`npop` is called `population_size` now", " is installed"),
        ({"loss": "x"}, "`loss` is called `elementwise_loss` now", "rename"),
        ({"populations": "8"}, "`populations` must be of type int, not '8'", "default is 31"),
        ({"populations": True}, "must be of type int, not True", "31"),
        ({"populations": 8.5}, "must be of type int, not 8.5", "31"),
        ({"parsimony": None}, "must be of type float, not None", "0.0"),
        ({"maxdepth": "deep"}, "must be of type int or null, not 'deep'", "null"),
        ({"parallelism": "fast"}, "serial, multithreading, multiprocessing or null", "null"),
        ({"batching": 3}, "must be of type bool or auto, not 3", "auto"),
        ({"worker_imports": "Foo"}, "must be of type list of str or null", "null"),
        (
            {"constraints": {"^": "x"}},
            "mapping of str to int or list of int or null, not {'^': 'x'}",
            "null",
        ),
        ({"logger_spec": "x"}, "`logger_spec` takes Python objects", "leave it out"),
        ({"extra_sympy_mappings": {}}, "takes Python objects", "leave it out"),
        ({"mutations": {}}, "takes Python objects", "leave it out"),
        ({"binary_operators": ["+"]}, "distill sets PySR's `binary_operators` itself", "operators"),
        ({"timeout_in_seconds": 5}, "itself", "`engine.seconds`"),
        ({"random_state": 5}, "itself", "`engine.seed`"),
        ({"expression_spec": "x"}, "itself", "`engine.skeleton`"),
        ({"X_units": ["m"]}, "itself", "`engine.units`"),
        ({"rows": "many"}, "`rows` must be of type int, not 'many'", "1000"),
        ({"custom_operators": "a(x) = x"}, "list of str, not 'a(x) = x'", "()"),
        ({"custom_operators": [1]}, "list of str, not [1]", "()"),
        ({"rows": 1}, "`rows` is 1", "at least 2"),
        ({"threads": -1}, "`threads` is -1", "0 or more"),
        ({"early_stop": -0.1}, "`early_stop` is -0.1", "0 or more"),
        ({"precision": 63}, "`precision` is 63", "16, 32 or 64"),
        ({"others": {"a": 1}}, "no parameter `others`", ""),
    ],
)
def test_mistakes_are_named_with_their_key_and_a_way_on(data, what, hint):
    error = refused(data)
    (key,) = data
    assert error.where == f"config key `engine.options.{key}`"
    assert what in error.what
    assert hint in error.hint


def test_close_matches_are_three_at_most_and_none_that_distill_sets_itself():
    hint = refused({"weight_nodes": 1.0}).hint
    assert len(re.findall("`", hint)) == 6
    assert set(re.findall(r"`(\w+)`", hint)) <= set(NEW.parameters) - set(OWNED)
    assert "binary_operators" not in refused({"binary_operator": ["+"]}).hint


def test_parameters_of_pysr_2_are_named_where_pysr_1_is_installed():
    error = refused({"worker_timeout": 60.0}, OLD)
    assert error.what == "`worker_timeout` needs PySR 2, and PySR 1.5.10 is installed."
    assert "--upgrade" in error.hint
    assert read_options({"worker_timeout": 60}, NEW).others == {"worker_timeout": 60}


def test_types_are_those_of_the_installed_version():
    assert "must be of type bool" in refused({"batching": "auto"}, OLD).what
    assert read_options({"batching": "auto"}, NEW).others == {"batching": "auto"}


def test_the_tables_are_those_of_the_real_packages():
    assert set(NEW.parameters) - set(OLD.parameters) == NEW_IN_2
    known = {*NEW.parameters, *NEW.of_fit, *OLD.parameters, *OLD.of_fit}
    assert set(OWNED) <= known
    # What `fit` takes is never an option.
    assert {*NEW.of_fit, *OLD.of_fit} <= {*OWNED, *NEW.parameters}


def test_without_pysr_what_cannot_be_checked_is_kept():
    assert read_options({"populatoins": 8, "rows": 5}, None) == PysrOptions(
        rows=5, others={"populatoins": 8}
    )
    assert "itself" in refused({"verbosity": 0}, None).what
    assert "must be of type int" in refused({"rows": "5"}, None).what
