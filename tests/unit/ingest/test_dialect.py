"""What a header, a first line and a whole file tell of how lines are written."""

from __future__ import annotations

import pytest

from oddfleet.ingest.dialect import opening, settled
from oddfleet.ingest.layout import Layout, Refusal
from oddfleet.ingest.lines import Stretch

PLAIN = Layout(width=2, date=0, value=1, device_id=None, value_name="traffic")


def _plan(text: str, *, with_device: bool = False) -> Layout | Refusal:
    return opening(Stretch(1, text.encode()), with_device=with_device).plan


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("date,traffic\n", (2, 0, 1, ",")),
        (" Date , TRAFFIC \n", (2, 0, 1, ",")),
        ("site;Traffic (MB);Day\n", (3, 2, 1, ";")),
        ("timestamp\tvalue\n", (2, 0, 1, "\t")),
        ("a,b|date|mb\n", (3, 1, 2, "|")),
        ("date,value,traffic\n", (3, 0, 2, ",")),  # what says more of the two
        ("2020-01-01,1\n", (2, 0, 1, ",")),
        ("1;31.01.2020\n", (2, 1, 0, ";")),
        ("wann,wieviel\n2020-01-01,1\n", (2, 0, 1, ",")),
    ],
)
def test_the_columns_of_a_file(text: str, columns: tuple[int, int, int, str]) -> None:
    plan = _plan(text)
    assert isinstance(plan, Layout)
    assert (plan.width, plan.date, plan.value, plan.separator) == columns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "date\n",
        "date,traffic,traffic\n",
        "datetraffic\n",
        "when,in,out\n2020-01-01,1,2\n",
        '"date,traffic\n',
        "a,b\n1,2\n",
    ],
)
def test_what_is_no_header_is_refused(text: str) -> None:
    assert isinstance(_plan(text), Refusal)


@pytest.mark.parametrize("text", ["date,value\n", "2020-01-01,1\n", "wann,wer,wieviel\n2020-01-01,4,1\n"])
def test_a_long_table_has_to_name_the_device(text: str) -> None:
    assert isinstance(_plan(text, with_device=True), Refusal)


def test_the_lines_below_the_header_and_their_number() -> None:
    found = opening(Stretch(1, b"\r\n\r\ndate,traffic\r\n2020-01-01,1\r\n"), with_device=False)
    assert (found.body, found.first_line) == (b"2020-01-01,1\r\n", 4)


@pytest.mark.parametrize(
    ("days", "day_first"),
    [
        (["01/02/2020", "13/02/2020"], True),
        (["01/02/2020", "02/13/2020"], False),
        (["01/02/2020", "12/12/2020"], None),
        (["13/02/2020", "02/13/2020"], None),
        (["2020-01-31"], None),
    ],
)
def test_the_order_of_day_and_month_is_proved_or_unknown(days: list[str], day_first: bool | None) -> None:
    body = "date,traffic\n" + "".join(f"{day},1\n" for day in days)
    assert settled(PLAIN, [Stretch(1, body.encode())]).day_first == day_first


@pytest.mark.parametrize(
    ("days", "clock"),
    [
        (["2020-01-01 06:00", "2020-01-02 06:00"], "06:00"),
        (["2020-01-01 06:00", "2020-01-01 07:00"], ""),
        (["2020-01-01 06:00", "2020-01-02"], ""),
        (["2020-01-01"], ""),
    ],
)
def test_one_time_of_day_is_no_time(days: list[str], clock: str) -> None:
    body = "".join(f"{day},1\n" for day in days)
    assert settled(PLAIN, [Stretch(1, body.encode())]).clock == clock


def test_a_comma_in_a_number_is_a_decimal_mark_only_where_it_separates_nothing() -> None:
    lines = [Stretch(1, b'2020-01-01;1,5\n"2020-01-02;1\n2020-01-03;2;3\n\n')]
    semicolons = Layout(width=2, date=0, value=1, device_id=None, value_name="traffic", separator=";")
    assert settled(semicolons, lines).decimal_comma
    assert not settled(PLAIN, [Stretch(1, b'2020-01-01,"1,5"\n')]).decimal_comma
