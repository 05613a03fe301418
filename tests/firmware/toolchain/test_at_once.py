"""Several tools at once: results in order, the first error, and Ctrl-C for all of them."""

import signal
import sys
import threading
import time

import pytest

from distill.errors import ToolchainError
from distill.firmware.toolchains.at_once import WORKERS, at_once
from distill.firmware.toolchains.process import run_tool


def test_results_come_in_the_order_of_the_items(tmp_path):
    def words(item: int) -> str:
        code = f"import time; time.sleep({0.2 if item == 0 else 0}); print({item})"
        return run_tool([sys.executable, "-c", code], seconds=60, folder=tmp_path).output.strip()

    assert at_once(words, range(5)) == ["0", "1", "2", "3", "4"]


def test_an_error_of_an_item_is_raised():
    def half(item: int) -> int:
        if item == 3:
            raise ToolchainError("three")
        return item

    with pytest.raises(ToolchainError, match="three"):
        at_once(half, range(5))


def test_ctrl_c_kills_what_runs_and_starts_nothing_more(tmp_path):
    code = (
        "import pathlib, sys, time\n"
        "place = pathlib.Path(sys.argv[1])\n"
        "(place / 'begun').touch()\n"
        "time.sleep(15)\n"
        "(place / 'ended').touch()\n"
    )
    places = [tmp_path / str(number) for number in range(4)]
    for place in places:
        place.mkdir()

    main = threading.main_thread()

    def interrupt() -> None:
        while sum((place / "begun").exists() for place in places) < WORKERS:
            time.sleep(0.02)
        signal.pthread_kill(main.ident, signal.SIGINT)

    striking = threading.Thread(target=interrupt)
    striking.start()
    with pytest.raises(KeyboardInterrupt):
        at_once(
            lambda place: run_tool(
                [sys.executable, "-c", code, str(place)], seconds=60, folder=place
            ),
            places,
        )
    striking.join()
    assert [(place / "begun").exists() for place in places] == [True, True, False, False]
    assert not any((place / "ended").exists() for place in places)
