"""One device's card, as it looks on a terminal and in a pipe."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from oddfleet.model import Explanation, Finding, Kind
from oddfleet.report import print_explanation
from oddfleet.report.documents import explanation_json

MakeFinding = Callable[..., Finding]

ON_A_TERMINAL = """\
lamp_1 (4)
Odd, number 2 of 3 odd devices among 75; in a healthy fleet of this size this
report would name any device in at most 1 run in 100 (alpha 0.01).

▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁   ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄█
2020-01-01                                        2020-02-29
60 days, 61.25 MB to 140 MB a day; 3 without a value

Level shift, since 2020-01-20
Since 2020-01-20 it has 61.25 MB a day where 99.8 is usual.
  Measured               61.25 MB a day, usual 99.8 MB a day
  Chance if healthy      about 1 in 3 million
  Could also be          another model was installed; its place changed
  This data cannot tell  the hour of the change, and whether it was wanted
  Check next             Ask who changed it.

Missing days, on 2020-01-20
Since 2020-01-20 it has 61.25 MB a day where 99.8 is usual.
  Measured               3 days, usual 0 days
  Chance if healthy      a fact, not a statistic
  This data cannot tell  whether there was traffic on those days
  Check next             Ask who changed it.
"""
IN_A_PIPE = """\
lamp_1 (4)
Odd, number 2 of 3 odd devices among 75; in a healthy fleet of this size this report would name any device in at \
most 1 run in 100 (alpha 0.01).

▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁   ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄█
2020-01-01                                        2020-02-29
60 days, 61.25 MB to 140 MB a day; 3 without a value

Level shift, since 2020-01-20
Since 2020-01-20 it has 61.25 MB a day where 99.8 is usual.
  Measured: 61.25 MB a day, usual 99.8 MB a day
  Chance if healthy: about 1 in 3 million
  Could also be: another model was installed; its place changed
  This data cannot tell: the hour of the change, and whether it was wanted
  Check next: Ask who changed it.

Missing days, on 2020-01-20
Since 2020-01-20 it has 61.25 MB a day where 99.8 is usual.
  Measured: 3 days, usual 0 days
  Chance if healthy: a fact, not a statistic
  This data cannot tell: whether there was traffic on those days
  Check next: Ask who changed it.
"""


@pytest.fixture
def device(make_finding: MakeFinding) -> Explanation:
    series = np.repeat([61.25, 100.0], 30)
    series[30:33] = np.nan
    series[-1] = 140.0
    shift = make_finding(4)
    lost = make_finding(
        4, Kind.MISSING_DAYS, until=shift.since, value=3.0, usual=0.0, unit="days", p_value=None, rivals=()
    )
    return Explanation(
        device_id=4,
        name="lamp_1",
        place=2,
        n_odd=3,
        n_devices=75,
        alpha=0.01,
        findings=(shift, lost),
        dates=np.datetime64("2020-01-01") + np.arange(60),
        series=series,
    )


def said_of(device: Explanation, *, terminal: bool = False, width: int = 80, colours: bool = False) -> str:
    stream = io.StringIO()
    print_explanation(
        device,
        Console(
            file=stream,
            force_terminal=terminal,
            width=width,
            color_system="auto" if colours else None,
            legacy_windows=False,
            _environ={"TERM": "xterm"},
        ),
    )
    return stream.getvalue()


def plain(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in re.sub(r"\x1b\[1?0?m", "", text).splitlines())


def test_on_a_terminal(device: Explanation) -> None:
    assert plain(said_of(device, terminal=True)) == ON_A_TERMINAL


def test_in_a_pipe_whatever_its_width(device: Explanation) -> None:
    assert said_of(device) == said_of(device, width=20) == IN_A_PIPE


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_nothing_is_wider_than_the_terminal(device: Explanation, width: int) -> None:
    long = replace(device, series=np.arange(400.0), dates=np.datetime64("2020-01-01") + np.arange(400))
    lines = plain(said_of(long, terminal=True, width=width)).splitlines()
    assert max(map(cell_len, lines)) <= width
    (line,) = (line for line in lines if line.startswith("▁"))
    assert len(line) == min(width, 100)
    (dates,) = (line for line in lines if line.startswith("2020-01-01"))
    assert len(dates) == len(line)
    assert dates.endswith("2021-02-03")


def test_a_device_that_is_not_odd(device: Explanation) -> None:
    healthy = replace(device, place=None, findings=())
    lines = said_of(healthy).splitlines()
    assert lines[1].startswith("Not odd; in a healthy fleet of this size ")
    assert lines[1].endswith(" (alpha 0.01).")
    assert lines[-1] == "Nothing was found: no promise is broken."
    broken = said_of(replace(device, place=None, findings=device.findings[1:]))
    assert "\nBroken promises, which do not make a device odd in this fleet:\n\nMissing days, on 2020-01-20\n" in broken


def test_an_odd_device_without_a_finding(device: Explanation) -> None:
    said = said_of(replace(device, findings=(), n_devices=None))
    assert said.splitlines()[1].startswith("Odd, number 2 of 3 odd devices; in a healthy")
    assert said.splitlines()[-1] == "Nothing is said of why: no one repair makes it usual."


def test_days_that_were_not_stored_or_not_seen(device: Explanation) -> None:
    assert "they were left where they are (--store none)" in said_of(replace(device, series=None))
    assert "No day of it is on record with a number." in said_of(replace(device, series=np.full(60, np.nan)))


def test_a_few_days(device: Explanation) -> None:
    lines = said_of(replace(device, series=np.array([1.0, 2.0]), dates=device.dates[:2])).splitlines()
    assert lines[3:6] == ["▁█", "2020-01-01 to 2020-01-02", "2 days, 1 MB to 2 MB a day"]


def test_colour_says_nothing_that_words_do_not(device: Explanation) -> None:
    assert "\x1b[33mOdd" in said_of(device, terminal=True, colours=True)
    assert "\x1b[32mNot odd" in said_of(replace(device, place=None), terminal=True, colours=True)
    assert "\x1b" not in said_of(device, colours=True)


@pytest.mark.parametrize("terminal", [True, False])
def test_what_steers_a_terminal_is_written_out(device: Explanation, make_finding: MakeFinding, terminal: bool) -> None:
    evil = make_finding(4, text="[bold]a\x1b[2J", rivals=("\x1b]0;owned\x07",), next_check=":smile: [/]")
    said = said_of(replace(device, name="[red]x[/]\x1b[2J", findings=(evil,)), terminal=terminal, width=200)
    for words in ("[bold]a\\x1b[2J", "\\x1b]0;owned\\x07", ":smile: [/]", "[red]x[/]\\x1b[2J (4)"):
        assert words in said
    assert "\x1b[2J" not in said
    assert "\x1b]" not in said


def test_the_document(device: Explanation) -> None:
    document = json.loads(explanation_json(device))
    assert list(document) == ["schema", "explain"]
    told = document["explain"]
    assert {key: told[key] for key in told if key != "findings"} == {
        "id": 4, "name": "lamp_1", "odd": True, "place": 2, "n_odd": 3, "n_devices": 75, "alpha": 0.01,
    }  # fmt: skip
    assert [finding["kind"] for finding in told["findings"]] == ["level_shift", "missing_days"]
    assert json.loads(explanation_json(replace(device, place=None)))["explain"]["odd"] is False
