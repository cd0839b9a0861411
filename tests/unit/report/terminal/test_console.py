from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from oddfleet.model import (
    AnomalousDay,
    Answers,
    DataHealth,
    FaultTest,
    Finding,
    Fleet,
    FleetDays,
    Kind,
    Oddities,
    SelfTest,
)
from oddfleet.report import Progress, print_selftest, print_summary

MakeFleet = Callable[..., Fleet]
MakeFinding = Callable[..., Finding]
MakeResult = Callable[..., Oddities]
Say = Callable[..., str]


@pytest.fixture
def say(answers: Answers, health: DataHealth) -> Say:
    def say(fleet: Fleet, result: Oddities, *, terminal: bool = False, width: int = 200) -> str:
        stream = io.StringIO()
        console = Console(file=stream, force_terminal=terminal, width=width, color_system=None, legacy_windows=False)
        outputs = [(Path("out") / "oddities.json", "the odd devices")]
        gaps = int(np.isnan(fleet.values).sum())
        print_summary(result, fleet, answers, replace(health, devices=fleet.n_devices, gaps=gaps), outputs, console)
        return stream.getvalue()

    return say


def test_plain_lines_in_a_pipe(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, say: Say
) -> None:
    fleet = make_fleet(3, names=("lamp_1", None, "lamp_3"))
    fleet.values[:3, 0] = np.nan
    result = make_result(
        fleet,
        ids=[2, 1, 3],
        findings=[make_finding(2, since=None), make_finding(1)],
        notes=["A fleet of 3 devices is small."],
    )
    # Eighty columns would break most of these lines: none is broken.
    assert say(fleet, result, width=80).splitlines() == [
        "Total traffic on 2020-01-01: 7,512.3 MB",
        "Most traffic over the whole record:",
        "  1. lamp_1 (1): 37,245.1 MB",
        "  2. device 2: 36,999 MB",
        "3 of 3 devices are odd; in a healthy fleet of this size this report would name any device "
        "in at most 1 run in 100:",
        "  -  2  level shift  -  Since 2020-01-20 it has 61.25 MB a day where 99.8 is usual.",
        "  lamp_1  1  level shift  2020-01-20  Since 2020-01-20 it has 61.25 MB a day where 99.8 is usual.",
        "  lamp_3  3  -  -  -",
        "Note: A fleet of 3 devices is small.",
        "Data: 27,375 lines read, 27,370 stored, 5 rejected; 3 devices, 2020-01-01 to 2020-12-31, "
        "3 device days without a value; 1 device without a name",
        f"Written: {Path('out') / 'oddities.json'} (the odd devices)",
    ]


@pytest.mark.parametrize(("odd", "lines"), [(0, 0), (1, 1), (5, 5), (9, 6)])
def test_days_odd_for_the_whole_fleet_have_a_line_each(
    *, make_fleet: MakeFleet, make_result: MakeResult, say: Say, odd: int, lines: int
) -> None:
    fleet, nothing = make_fleet(), np.zeros(0)
    day = AnomalousDay(date(2020, 2, 1), date(2020, 2, 1), -0.4, 0.96, 1e-9, "On 2020-02-01 most carried less.")
    days = FleetDays(nothing, nothing.astype(int), nothing, nothing, nothing, (day,) * odd)
    said = [line for line in say(fleet, replace(make_result(fleet), days=days)).splitlines() if "Whole fleet" in line]
    assert len(said) == lines
    assert said[:5] == ["Whole fleet: On 2020-02-01 most carried less."] * min(odd, 5)
    assert said[5:] == ["Whole fleet: 4 more such days."] * (odd == 9)


def test_nothing_odd(make_fleet: MakeFleet, make_result: MakeResult, say: Say) -> None:
    fleet = make_fleet()
    lines = say(fleet, make_result(fleet)).splitlines()
    promise = "in a healthy fleet of this size this report would name any device in at most 1 run in 100."
    assert f"None of {fleet.n_devices} devices is odd; {promise}" in lines


@pytest.mark.parametrize("terminal", [True, False])
def test_twenty_rows_and_a_number(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, say: Say, terminal: bool
) -> None:
    fleet = make_fleet(250)
    ids = range(1, 251)
    said = say(fleet, make_result(fleet, ids=ids, findings=[make_finding(k) for k in ids]), terminal=terminal)
    assert said.count("level shift") == 20
    assert "and 230 more in findings.json" in said.splitlines()
    assert ("──" in said) == terminal


@pytest.mark.parametrize("terminal", [True, False])
def test_names_are_neither_markup_nor_commands(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, say: Say, terminal: bool
) -> None:
    fleet = make_fleet(2, names=("[red]x[/red] :smile: [/]", "\x1b]0;owned\x07"))
    result = make_result(
        fleet,
        ids=[1, 2],
        findings=[make_finding(1, text="[bold]MB", unit="[bold]MB")],
        notes=["[/] \x1b[2J and \ud800"],
    )
    said = say(fleet, result, terminal=terminal)
    assert "[red]x[/red] :smile: [/]" in said
    assert "\\x1b]0;owned\\x07" in said
    assert "[bold]MB" in said
    assert "[/] \\x1b[2J and \\ud800" in said
    assert "\x1b]" not in said
    assert "\x1b[2J" not in said


def test_what_the_stream_has_no_code_for_is_written_out(
    make_fleet: MakeFleet, make_result: MakeResult, answers: Answers, health: DataHealth
) -> None:
    fleet = make_fleet(1, names=("客厅",))
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    print_summary(make_result(fleet, ids=[1]), fleet, answers, health, [], Console(file=stream))
    stream.flush()
    assert b"  \\u5ba2\\u5385  1  -" in raw.getvalue()


def said_of(result: SelfTest, *, terminal: bool = False, width: int = 80) -> list[str]:
    stream = io.StringIO()
    print_selftest(
        result,
        Console(file=stream, force_terminal=terminal, width=width, color_system=None, legacy_windows=False),
    )
    return stream.getvalue().splitlines()


def test_a_selftest_is_a_markdown_table_in_a_pipe(selftest: SelfTest) -> None:
    assert said_of(selftest) == [
        "Share of planted faults that would have been found, by strength (1 = blatant, 0.5 = subtle):",
        "| kind      | 0.25 | 0.5  | 1    | half found from        | named right | dated right |",
        "| --------- | ---- | ---- | ---- | ---------------------- | ----------- | ----------- |",
        "| inactive  | 100% | 100% | 100% | <= 0.25                | 100%        | 80%         |",
        "| detached  |      |      |      | cannot be planted here |             |             |",
        "| drift     |      | 40%  | 100% | 0.58                   | 90%         |             |",
        "| copied    | 0%   | 20%  | 40%  | > 1                    | 0%          |             |",
        "| all kinds | 50%  | 53%  | 80%  | <= 0.25                | 75%         | 80%         |",
        "Of all faults 53% at strength 0.5 and 80% at strength 1 would have been found; each was planted 5 times "
        "at each strength, in healthy devices chosen at random, 20 of 1,000 at a time.",
        "Note: Odd before anything was planted, and left alone: 12, hall.",
        "Note: A random sample of 1,000 devices stands for the fleet of 5,000.",
    ]


def test_a_selftest_is_a_table_on_a_terminal(selftest: SelfTest) -> None:
    said = "\n".join(said_of(selftest, terminal=True, width=100))
    assert "──" in said
    assert "|" not in said
    for word in ("weekly", "mixture"):
        assert word not in said
    for word in ("inactive", "detached", "cannot be planted here", "0.58", "> 1", "all kinds"):
        assert word in said


def test_a_selftest_fits_eighty_columns(selftest: SelfTest) -> None:
    faults = tuple(replace(fault, kind=Kind.VOLATILITY_CHANGE, found=(1.0,) * 5) for fault in selftest.faults)
    strengths, overall = (0.125, 0.25, 0.5, 1.0, 2.0), replace(selftest.overall, found=(1.0,) * 5, planted=(1,) * 5)
    said = said_of(replace(selftest, strengths=strengths, faults=faults, overall=overall), terminal=True)
    assert max(map(len, said)) <= 80
    rows = [line.split() for line in said if "volatility change" in line]
    assert rows[0] == ["volatility", "change", *["100%"] * 5, "0.25", "100%", "80%"]
    assert len(rows) == 4


def test_odd_devices_of_a_selftest_are_not_without_end(selftest: SelfTest) -> None:
    *_, odd = said_of(replace(selftest, odd=tuple(range(1, 26)), notes=()))
    assert odd.endswith("left alone: " + ", ".join(map(str, range(1, 21))) + " and 5 more.")
    *_, last = said_of(replace(selftest, odd=(), notes=()))
    assert last.startswith("Of all faults ")


def test_a_selftest_in_which_nothing_could_be_planted(selftest: SelfTest) -> None:
    nan = float("nan")
    none = FaultTest(None, (0, 0, 0), (nan, nan, nan), None, nan, nan)
    lines = said_of(replace(selftest, faults=(), overall=none, odd=(), notes=()))
    assert lines[-2].startswith("| all kinds |      |     |   | cannot be planted here |")
    assert lines[-1] == "No fault could be planted in this fleet: its record is too short or too even."


@pytest.mark.parametrize(("terminal", "quiet"), [(False, False), (True, True)])
def test_progress_is_silent(terminal: bool, quiet: bool) -> None:
    stream = io.StringIO()
    with Progress(quiet=quiet, console=Console(file=stream, force_terminal=terminal)) as progress:
        step = progress.step("Drawing")
        step(0, 3)
        step(3, 3)
    assert stream.getvalue() == ""


def test_progress_shows_its_steps_on_a_terminal() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, legacy_windows=False)
    with Progress(console=console) as progress:
        progress.step("Reading")(2, 2)
        progress.step("Drawing")(1, 2)
    assert "Reading" in stream.getvalue()
    assert "100%" in stream.getvalue()


def test_a_bar_is_there_from_the_first_that_is_told_and_has_a_total() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, legacy_windows=False)
    with Progress(console=console) as progress:
        later, never = progress.step("Later"), progress.step("Never")
        progress.step("Reading")(0, 4)
        never(0, 0)
    assert "Reading" in stream.getvalue()
    assert "0%" in stream.getvalue()
    for label in ("Later", "Never"):
        assert label not in stream.getvalue()
    later(1, 1)


@pytest.mark.parametrize("width", [80, 120])
def test_a_bar_with_its_times_fits_the_terminal(width: int) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=width, color_system=None, legacy_windows=False)
    with Progress(console=console) as progress:
        progress.step("explaining")(1, 3)
    lines = [
        line
        for line in re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "\n", stream.getvalue()).splitlines()
        if "explaining" in line
    ]
    assert re.search(r" 33% 0:00:00 -?[-\d]+:-?[-\d]+:-?[-\d]+ left", lines[-1])
    assert max(map(len, lines)) <= width


def test_progress_speaks_on_standard_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Progress() as progress:
        progress.step("Reading")(1, 1)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Reading" in captured.err
