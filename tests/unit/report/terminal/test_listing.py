"""The table of odd devices, as it looks on terminals of several widths."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from oddfleet.model import Answers, DataHealth, Finding, Fleet, Kind, Oddities
from oddfleet.report import print_summary
from oddfleet.report.terminal.listing import odd_table, rows_of

MakeFleet = Callable[..., Fleet]
MakeFinding = Callable[..., Finding]
MakeResult = Callable[..., Oddities]
Look = Callable[..., list[str]]

WIDE = """\

 Name          Id   2020-01-01 to 2020-12-31  Kind               Since       Why
 ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
 attic_pump    7    ▁▁▁▁▁▁▁▁▁▁▁▁████████████  level shift        2020-07-02  +16.23 MB a day, usual 1.999
 garden_meter  160  ▁▁▁▂▂▂▃▃▃▄▄▄    ▆▆▇▇▇███  volatility change  -           varies 3.2 times as much, usual 1
 -             x    ▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅  -                  -           -
"""
NARROW = """\

                    2020-01-01 to 2020-12-31  Kind               Since
 Name          Id   Why
 ──────────────────────────────────────────────────────────────────────────
 attic_pump    7    ▁▁▁▁▁▁▁▁▁▁▁▁████████████  level shift        2020-07-02
                    +16.23 MB a day, usual 1.999
 garden_meter  160  ▁▁▁▂▂▂▃▃▃▄▄▄    ▆▆▇▇▇███  volatility change  -
                    varies 3.2 times as much, usual 1
 -             x    ▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅  -                  -
                    -
"""


@pytest.fixture
def three(make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult) -> tuple[Oddities, Fleet]:
    """A step, a ramp with a gap, and a flat one without name or finding."""
    fleet = make_fleet(3, 366, ids=(160, "x", 7), names=("garden_meter", None, "attic_pump"))
    fleet.values[:, 0] = np.arange(366)
    fleet.values[183:244, 0] = np.nan
    fleet.values[:, 1] = 5.0
    fleet.values[:, 2] = 100 + 16 * (np.arange(366) >= 183)
    findings = [
        make_finding(7, Kind.LEVEL_SHIFT, since=date(2020, 7, 2), value=16.23, usual=1.999),
        make_finding(160, Kind.VOLATILITY_CHANGE, since=None, value=3.2, usual=1.0, unit="ratio"),
    ]
    return make_result(fleet, ids=[7, 160, "x"], findings=findings), fleet


@pytest.fixture
def look(three: tuple[Oddities, Fleet]) -> Look:
    def look(width: int, encoding: str = "utf-8", fleet: Fleet | None = None) -> list[str]:
        result, own = three
        return drawn(result, fleet or own, width, encoding)

    return look


def drawn(result: Oddities, fleet: Fleet, width: int, encoding: str = "utf-8") -> list[str]:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    console = Console(file=stream, force_terminal=True, width=width, color_system=None, legacy_windows=False)
    console.print(odd_table(rows_of(result, fleet), fleet.dates, console))
    stream.flush()
    # Bold is left where there are no colours.
    return [line.rstrip() for line in re.sub(r"\x1b\[[01]m", "", raw.getvalue().decode(encoding)).splitlines()]


def test_a_line_a_device_where_it_is_wide_enough(look: Look) -> None:
    assert look(120) == [*WIDE.splitlines(), ""]


def test_two_lines_a_device_on_eighty_columns(look: Look) -> None:
    assert look(80) == [*NARROW.splitlines(), ""]


@pytest.mark.parametrize("width", [40, 50, 60, 70, 80, 100, 120, 200])
def test_nothing_is_wider_than_the_terminal_and_no_id_is_cut(
    look: Look, three: tuple[Oddities, Fleet], make_fleet: MakeFleet, width: int
) -> None:
    fleet = make_fleet(
        3, 366, ids=(160, "x", 7), names=("a name that goes on and on, and then on", None, "客厅的灯" * 6)
    )
    lines = look(width, fleet=fleet)
    assert max(map(cell_len, lines)) <= width
    for word in ("160", "level shift", "2020-07-02", "+16.23 MB a day, usual 1.999"):
        assert word in " ".join(" ".join(lines).split())
    assert ("on and on, and then on" in "\n".join(lines)) == (width == 200)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_long_ids_stay_whole(make_fleet: MakeFleet, make_result: MakeResult, width: int) -> None:
    long = "3f2b8c1e-77aa-4b0e-9d55-0c1d2e3f4a5b"
    fleet = make_fleet(1, 60, ids=(long,))
    lines = drawn(make_result(fleet, ids=[long]), fleet, width)
    assert max(map(len, lines)) <= width
    assert long in "\n".join(lines)


def test_letters_that_any_stream_has(look: Look) -> None:
    lines = look(120, "ascii")
    assert lines[2].strip("- ") == ""
    assert "  ............@@@@@@@@@@@@  level shift" in lines[3]
    assert "  ...:::---===    **###@@@  volatility" in lines[4]


def test_a_record_of_a_few_days(make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult) -> None:
    fleet = make_fleet(3, 2)
    lines = drawn(make_result(fleet, ids=[2], findings=[make_finding(2)]), fleet, 120)
    assert " 2020-01-01 to 2020-01-02  Kind " in lines[1]
    assert lines[3].index("level shift") == lines[1].index("Kind")


@pytest.mark.parametrize(("environment", "colour"), [({}, True), ({"NO_COLOR": "1"}, False)], ids=["colour", "none"])
def test_colour_is_sparing_and_can_be_turned_off(
    three: tuple[Oddities, Fleet],
    answers: Answers,
    health: DataHealth,
    environment: dict[str, str],
    colour: bool,
) -> None:
    result, fleet = three
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=True, width=120, color_system="standard", _environ=environment, legacy_windows=False
    )
    print_summary(result, fleet, answers, health, [], console)
    said = stream.getvalue()
    assert ("\x1b[33m" in said) == colour
    assert set(re.findall(r"\x1b\[([\d;]*)m", said)) == {"0", "1", *(["33"] if colour else [])}
    for word in ("level shift", "3 of 75 devices are odd"):
        assert word in said
