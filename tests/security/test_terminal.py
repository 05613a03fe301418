"""What others wrote cannot steer the terminal: controls in names and messages are spelled out."""

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from distill import cli
from distill.cli.command import print_error, print_text
from distill.identifiers import visible
from distill.progress import Best
from distill.sweeping.jobs import Job
from distill.sweeping.record import JobRecord
from distill.sweeping.shows import TerminalShow
from distill.voices.console import PlainConsole
from distill.voices.quiet import Quiet
from distill.voices.terminal import Terminal
from distill.voices.voice import Result

HOSTILE = "a\x1b[2J\x1b]0;title\x07b\rc\x9b31md\u202ee\u2066f\u200bg\x00h\x7fi\ud800j\u2028k"
"""Clears the screen, sets the title, goes back, colours, turns the direction, hides."""


def is_plain(text):
    """Whether only lines and tabs control anything."""
    return all(c in "\n\t" or unicodedata.category(c)[0] != "C" for c in text)


@given(st.text())
def test_whatever_is_written_controls_nothing(text):
    shown = visible(text)
    assert all(
        c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in shown
    )
    assert visible(shown) == shown
    shown.encode()


def test_what_people_write_stays_as_it_is():
    text = "Température °C, 温度 in µm/s²\n\tü ✓ → 🙂"
    assert visible(text) == text


def test_commands_spell_controls_out(capsys):
    print_text(HOSTILE)
    print_error(HOSTILE)
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert is_plain(text)
        assert "a<U+001B>[2J<U+001B>]0;title<U+0007>b<U+000D>c" in text


def console():
    return PlainConsole(file=io.StringIO(), width=300)


def test_every_voice_spells_controls_out():
    news, out = console(), console()
    with Terminal(news, out) as voice:
        voice.begin("fit", HOSTILE)
        voice.advance(0.5, HOSTILE)
        voice.front([Best(3, 0.5, HOSTILE)])
        voice.warn(HOSTILE)
        voice.end("fit", HOSTILE, reused=False)
        voice.result(Result(lambda c: c.print(Text(HOSTILE)), HOSTILE, {}))
    Quiet(quiet := console()).result(Result(lambda c: None, HOSTILE, {}))
    for each in (news, out, quiet):
        text = each.file.getvalue()
        assert is_plain(text)
        assert "<U+001B>[2J" in text


def test_tables_trees_and_markup_are_text():
    table = Table(HOSTILE)
    table.add_row(Text(HOSTILE))
    table.add_row("[red]not red[/red] [link=https://x]y[/link] :warning: [/]")
    shown = console()
    shown.print(table)
    text = shown.file.getvalue()
    assert is_plain(text)
    assert "[red]not red[/red] [link=https://x]y[/link] :warning: [/]" in text


def test_what_is_drawn_on_a_terminal_still_is():
    """Colours and the moving picture are rich's own, and pass."""
    shown = PlainConsole(file=io.StringIO(), width=80)
    shown._force_terminal = True
    shown._color_system = Console(force_terminal=True, color_system="standard")._color_system
    with Live(Text(HOSTILE, style="red"), console=shown, refresh_per_second=1):
        pass
    text = shown.file.getvalue()
    assert "\x1b[31m" in text
    assert "\x1b[2J" not in text
    assert "<U+001B>[2J" in text


def test_a_sweep_shows_what_jobs_recorded_as_text(capsys):
    show = TerminalShow()
    show.ended(JobRecord(Job(0, (HOSTILE,)), "failed", 2, problem=HOSTILE), 1)
    show.warn(HOSTILE)
    text = capsys.readouterr().err
    assert is_plain(text)
    assert text.count("<U+001B>[2J") == 3


@pytest.mark.parametrize(
    ("group", "name"),
    [("onnx", "\x1b]0;x\x07.onnx"), ("table", "\udcff.csv"), ("sklearn", "a\u202etxt.skops")],
)
def test_a_file_with_such_a_name_is_named_plainly(group, name, place, capsys):
    (place / name).write_bytes(b"x")
    for words in (["run", f"teacher={group}", f"teacher.source='{name}'"], ["check", name]):
        assert cli.main(words) == 2
        text = capsys.readouterr().err
        assert is_plain(text)
        assert "<U+" in text or "\\udcff" in text


def test_lines_for_programs_are_ascii(capsys):
    from distill.voices.json_lines import JsonLines

    with JsonLines("run") as voice:
        voice.warn(HOSTILE)
    text = capsys.readouterr().out
    assert text.isascii()
    assert is_plain(text)
    assert json.loads(text.splitlines()[0])["text"] == HOSTILE
