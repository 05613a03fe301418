"""The schema of conf/: every file fits it, every key has a comment, every error names its key."""

import re
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from distill.config.folder import conf_directory, options_of, read_option
from distill.config.overrides import apply_overrides
from distill.config.schema import domain_from, read_config
from distill.errors import ConfigError, DomainError

FILES = sorted(conf_directory().rglob("*.yaml"))
GROUPS = sorted(p.name for p in conf_directory().iterdir() if p.is_dir())


def composed(*overrides: str) -> DictConfig:
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        return compose("config", overrides=list(overrides))


def test_the_defaults_fit_the_schema() -> None:
    config = read_config(composed())
    assert config.teacher.source == "wet_bulb"
    assert config.tolerance == 0.1
    assert config.target["name"] == "pic32"
    assert config.tracking.live


def test_metrics_while_a_search_runs_can_be_switched_off() -> None:
    assert not read_config(composed("tracking.live=false")).tracking.live


@pytest.mark.parametrize(
    "option",
    [f"{g}={o}" for g in GROUPS for o in options_of(g) if g != "experiment"],
)
def test_every_option_of_every_group_fits_the_schema(option: str) -> None:
    fill = {
        "teacher=torch": ["teacher.source=net.safetensors"],
        "teacher=function": ["teacher.source=math:sin"],
        "teacher=table": ["teacher.source=data.csv"],
        "teacher=sklearn": ["teacher.source=model.skops"],
        "teacher=onnx": ["teacher.source=model.onnx"],
        "teacher=simulator": ["teacher.source=math:sin"],
        "select=by_id": ["select.candidate=0123456789ab"],
    }
    read_config(composed(option, *fill.get(option, [])))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_every_key_has_a_comment(file: Path) -> None:
    bare = []
    # A target's operations are a table with one comment above it.
    lines = file.read_text(encoding="utf-8").split("\noperations:")[0].splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        key = re.match(r"\s*([\w/]+):", line)
        inside_list = line.lstrip().startswith("-")
        if key and not inside_list and "#" not in line and not before.lstrip().startswith("#"):
            bare.append(line)
    allowed = {"defaults:", "engine:", "hydra:", "  run:", "  sweep:", "  job:"}
    inner = [b for b in bare if b not in allowed and not re.match(r"\s+(dir|subdir|chdir):", b)]
    assert inner == []


@pytest.mark.parametrize(
    ("override", "key", "says"),
    [
        ("tolerance=0", "tolerance", "larger than 0"),
        ("tolerance=-1", "tolerance", "larger than 0"),
        ("tolerance=nan", "tolerance", "finite"),
        ("tolerance=inf", "tolerance", "finite"),
        ("tolerance=wide", "tolerance", "wide"),
        ("sampling.points=0", "sampling.points", "larger than 0"),
        ("sampling.points=many", "points", "many"),
        ("sampling.design=sobel", "sampling.design", "sobel"),
        ("sampling.held_out=1", "sampling.held_out", "below 1"),
        ("engine.evaluations=null", "engine.seconds", "exactly one budget"),
        ("engine.seconds=5", "engine.seconds", "exactly one budget"),
        ("engine.questions=0", "engine.questions", "larger than 0"),
        ("limits.memory=0", "limits.memory", "larger than 0"),
        ("limits.memory=much", "limits.memory", "much"),
        ("limits.questions=0", "limits.questions", "larger than 0"),
        ("limits.questions=1.5", "limits.questions", "1.5"),
        ("engine.teacher_error=-1", "engine.teacher_error", "at least 0"),
        ("engine.teacher_error=inf", "engine.teacher_error", "at least 0"),
        ("engine.units=maybe", "engine.units", "Allowed: off, check"),
        ("select.rule=best", "select.rule", "best"),
        ("export.arithmetic=float16", "export.arithmetic", "float16"),
        ("export.out_of_domain=ignore", "export.out_of_domain", "ignore"),
        ("teacher=torch", "teacher.source", "must be given"),
    ],
)
def test_a_wrong_value_names_its_key(override: str, key: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(composed(override))
    assert key in caught.value.where
    assert says in str(caught.value)


def test_what_formulas_keep_to_can_be_given_on_the_command_line() -> None:
    config = read_config(
        composed(
            "engine.units=check",
            "+engine.constraints.monotone.speed=increasing",
            "engine.constraints.bounds=[0,null]",
            "+engine.constraints.operators_of.speed=[add,mul]",
            "engine.skeleton='f(speed)*exp(-c1*load) + 1'",
        )
    ).engine
    assert config.units == "check"
    assert config.constraints == {
        "monotone": {"speed": "increasing"},
        "bounds": [0, None],
        "operators_of": {"speed": ["add", "mul"]},
    }
    assert config.skeleton == "f(speed)*exp(-c1*load) + 1"


def test_a_bare_off_in_a_file_is_no_trap(tmp_path: Path) -> None:
    file = tmp_path / "bare.yaml"
    file.write_text("engine:\n  units: off\n", encoding="utf-8")
    merged = OmegaConf.merge(composed(), OmegaConf.load(file))
    assert isinstance(merged, DictConfig)
    assert read_config(merged).engine.units == "off"


def test_a_near_miss_is_suggested() -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(composed("sampling.design=sobel"))
    assert "did you mean `sobol`?" in caught.value.hint
    assert "lhs" in caught.value.hint


def test_an_added_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="tolerence"):
        read_config(composed("+tolerence=1"))
    with pytest.raises(ConfigError, match="pionts"):
        read_config(composed("+sampling.pionts=1"))


def test_an_unknown_option_of_a_group_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        read_option("target", "pic33")
    assert "did you mean `pic32`?" in caught.value.hint
    assert "host" in caught.value.hint


@pytest.mark.parametrize("bad", ["../secret", "pic32.yaml", "", "/etc/passwd"])
def test_an_option_name_cannot_leave_the_folder(bad: str) -> None:
    with pytest.raises(ConfigError):
        read_option("target", bad)


def test_a_domain_from_config() -> None:
    domain = domain_from({"speed": {"low": 0, "high": 120, "unit": "km/h"}})
    assert (domain.names, domain.variables[0].unit) == (("speed",), "km/h")
    with pytest.raises(DomainError, match="low < high"):
        domain_from({"speed": {"low": 120, "high": 0}})
    with pytest.raises(DomainError, match="needs name, low and high"):
        domain_from({"speed": {"low": 120}})
    with pytest.raises(DomainError, match="needs name, low and high"):
        domain_from({"speed": {"low": 0, "high": 1, "units": "m"}})


def test_overrides_on_a_recorded_config() -> None:
    recorded = {
        "target": read_option("target", "pic32"),
        "export": read_option("export", "default"),
    }
    changed = apply_overrides(recorded, ["target=host", "export.arithmetic=double"])
    assert changed["target"]["name"] == "host"
    assert changed["export"]["arithmetic"] == "double"
    assert recorded["target"]["name"] == "pic32", "the record itself is left alone"


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("export.arithmetik=double", "did you mean `export.arithmetic`?"),
        ("nothing", "is no override"),
        ("target=pic33", "there is no target called `pic33`"),
        ("export.arithmetic=[", "cannot be read"),
    ],
)
def test_a_wrong_override_on_a_record_is_told(override: str, says: str) -> None:
    recorded = {"export": read_option("export", "default"), "target": {}}
    with pytest.raises(ConfigError, match=re.escape(says)):
        apply_overrides(recorded, [override])
