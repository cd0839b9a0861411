"""Anyone's table becomes a fleet, or one line that says what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from oddfleet import Fleet, InputError

NAN, INF = float("nan"), float("inf")
DAYS = ["2020-01-01", "2020-01-02", "2020-01-04"]
ONE_LINE = re.compile(r"frame: .+, got .+; [^;\n]+")
"""Place: what is expected, what came; what to do."""

MakeFrame = Callable[[dict[str, list[Any]]], Any]


def arrow(columns: dict[str, list[Any]]) -> Any:
    return pytest.importorskip("pyarrow", reason="pyarrow is not installed").table(columns)


@pytest.fixture(params=[pd.DataFrame, pl.DataFrame, arrow], ids=["pandas", "polars", "arrow"])
def make_frame(request: pytest.FixtureRequest) -> MakeFrame:
    maker: MakeFrame = request.param
    return maker


def long(dates: list[Any], ids: list[Any], values: list[Any]) -> dict[str, list[Any]]:
    return {"date": dates, "device_id": ids, "value": values}


def same(found: Any, expected: Any) -> None:
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


# --- long ---------------------------------------------------------------------------------------------------------


def test_long_is_scattered_over_every_day_of_the_record(make_frame: MakeFrame) -> None:
    fleet = Fleet.from_long(make_frame(long([DAYS[2], DAYS[0], DAYS[1]], [9, 10, 10], [3.0, 1.0, 2])))
    assert fleet.device_ids == (9, 10)
    assert fleet.names == (None, None)
    same(fleet.dates, np.arange("2020-01-01", "2020-01-05", dtype="datetime64[D]"))
    same(fleet.values, [[NAN, 1], [NAN, 2], [NAN, NAN], [3, NAN]])
    assert not fleet.duplicated.any()
    assert not fleet.invalid.any()


@pytest.mark.parametrize(
    ("values", "value", "duplicated", "invalid"),
    [
        ([5.0], 5, False, False),
        ([None], NAN, False, True),
        ([INF], NAN, False, True),
        ([5.0, 6.0], 5, True, False),
        ([None, 6.0, 7.0], 6, True, True),
        ([-INF, 6.0], 6, True, True),
        ([6.0, None], 6, True, True),
        ([None, INF], NAN, True, True),
        ([-5.0, 6.0], -5, True, False),
    ],
)
def test_the_first_usable_value_of_a_day_counts(
    make_frame: MakeFrame, values: list[float | None], value: float, duplicated: bool, invalid: bool
) -> None:
    rows = len(values)
    # A second device, so that one column is not all there is, and one that is all null has a number type.
    fleet = Fleet.from_long(make_frame(long([DAYS[0]] * (rows + 1), [1] * rows + [2], [*values, 8.0])))
    same(fleet.values, [[value, 8]])
    same(fleet.duplicated, [[duplicated, False]])
    same(fleet.invalid, [[invalid, False]])


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["b", "a"], ("a", "b")),
        (["10", "9"], ("10", "9")),
        ([10, 9], (9, 10)),
        ([-1, 10**12], (-1, 10**12)),
        ([2.0, 1.0], (1, 2)),
        (["höhle", "名"], ("höhle", "名")),
    ],
)
def test_ids_are_numbers_or_words_and_sorted(
    make_frame: MakeFrame, ids: list[Any], expected: tuple[int | str, ...]
) -> None:
    fleet = Fleet.from_long(make_frame(long([DAYS[0]] * 2, ids, [1.0, 2.0])))
    assert fleet.device_ids == expected
    assert [type(device) for device in fleet.device_ids] == [type(device) for device in expected]
    values = {1.0: ids[0], 2.0: ids[1]}
    assert [values[value] for value in fleet.values[0].tolist()] == list(expected)


def test_numbers_come_before_words() -> None:
    frame = pd.DataFrame(long([DAYS[0]] * 3, ["a", 10, 9], [1.0, 2.0, 3.0]))
    fleet = Fleet.from_long(frame)
    assert fleet.device_ids == (9, 10, "a")
    same(fleet.values, [[3, 2, 1]])


@pytest.mark.parametrize(
    "ids",
    [
        pd.Series(["b", "a"], dtype="category"),
        pd.Series(["b", "a"], dtype="string"),
        pl.Series(["b", "a"], dtype=pl.Categorical),
    ],
    ids=["pandas category", "pandas string", "polars categorical"],
)
def test_words_of_any_kind(ids: Any) -> None:
    maker = pd.DataFrame if isinstance(ids, pd.Series) else pl.DataFrame
    fleet = Fleet.from_long(maker({"date": [DAYS[0]] * 2, "device_id": ids, "value": [1, 2]}))
    assert fleet.device_ids == ("a", "b")
    same(fleet.values, [[2, 1]])


@pytest.mark.parametrize(
    "value",
    [
        pd.Series([1, None], dtype="Int64"),
        pd.Series([1.0, None], dtype="Float64"),
        pl.Series([1, None], dtype=pl.Int64),
        pl.Series([Decimal("1.0"), None], dtype=pl.Decimal(10, 2)),
    ],
    ids=["pandas Int64", "pandas Float64", "polars Int64", "polars Decimal"],
)
def test_numbers_of_any_kind(value: Any) -> None:
    maker = pd.DataFrame if isinstance(value, pd.Series) else pl.DataFrame
    fleet = Fleet.from_long(maker({"date": DAYS[:2], "device_id": [1, 1], "value": value}))
    same(fleet.values, [[1], [NAN]])
    same(fleet.invalid, [[False], [True]])


@pytest.mark.parametrize(
    "days",
    [
        DAYS,
        [date.fromisoformat(day) for day in DAYS],
        [datetime.fromisoformat(day) for day in DAYS],
        ["2020-01-01T00:00:00", "2020-01-02 00:00:00", "2020-01-04"],
    ],
    ids=["text", "date", "midnight", "midnight as text"],
)
def test_days_of_any_kind(make_frame: MakeFrame, days: list[Any]) -> None:
    fleet = Fleet.from_long(make_frame(long(days, [1, 1, 1], [1.0, 2.0, 3.0])))
    same(fleet.values, [[1], [2], [NAN], [3]])
    assert fleet.dates.dtype == np.dtype("datetime64[D]")


def test_further_columns_are_passed_over(make_frame: MakeFrame) -> None:
    fleet = Fleet.from_long(make_frame({"room": ["x"], **long([DAYS[0]], [1], [2.0])}))
    same(fleet.values, [[2]])


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"day": [DAYS[0]], "device_id": [1], "value": [1.0]}, "got ['day', 'device_id', 'value']; rename or add date"),
        ({"x": [1]}, "add date, device_id, value"),
        (long([DAYS[0]], [1], ["much"]), "column value must hold numbers"),
        (long([DAYS[0]] * 2, [None, 1], [1.0, 2.0]), "every row needs a device_id"),
        (long([date(2020, 1, 1), None], [1, 1], [1.0, 2.0]), "every row needs a date, got 1 without"),
        (long([datetime(2020, 1, 1, 3, 30)], [1], [1.0]), "got 2020-01-01T03:30"),
        (long(["0202-01-01", "2020-01-01"], [1, 1], [1.0, 2.0]), "within 100 years of each other, got 0202-01-01 to"),
    ],
    ids=["no date", "no column", "words", "no id", "null date", "hours", "mistyped year"],
)
def test_what_is_wrong_with_a_long_table_is_said_in_one_line(
    make_frame: MakeFrame, columns: dict[str, list[Any]], said: str
) -> None:
    with pytest.raises(InputError) as error:
        Fleet.from_long(make_frame(columns))
    assert ONE_LINE.fullmatch(str(error.value))
    assert said in str(error.value)


def test_no_row() -> None:
    with pytest.raises(InputError) as error:
        Fleet.from_long(pl.DataFrame(schema={"date": pl.Date, "device_id": pl.Int64, "value": pl.Float64}))
    assert ONE_LINE.fullmatch(str(error.value))


@pytest.mark.parametrize("text", ["31.01.2020", "2020-02-30"])
def test_a_text_that_is_no_day_is_quoted(make_frame: MakeFrame, text: str) -> None:
    with pytest.raises(InputError, match="dates must be days such as 2020-01-31") as error:
        Fleet.from_long(make_frame(long([text], [1], [1.0])))
    assert "\n" not in str(error.value)
    assert text in str(error.value) or "Day out of range" in str(error.value)


def test_the_longest_record_and_a_day_more() -> None:
    first = date(1950, 1, 1)
    last = first + timedelta(days=36_599)
    assert Fleet.from_long(pl.DataFrame(long([first, last], [1, 1], [1.0, 2.0]))).n_days == 36_600
    with pytest.raises(InputError, match="100 years"):
        Fleet.from_long(pl.DataFrame(long([first, last + timedelta(days=1)], [1, 1], [1.0, 2.0])))


# --- wide ---------------------------------------------------------------------------------------------------------


def test_wide_with_the_dates_as_a_column(make_frame: MakeFrame) -> None:
    fleet = Fleet.from_wide(make_frame({"b": [1.0, None, 3.0], "date": DAYS, "a": [4, 5, 6]}))
    assert fleet.device_ids == ("b", "a")  # the order of the columns
    same(fleet.values, [[1, 4], [NAN, 5], [NAN, NAN], [3, 6]])
    assert not fleet.invalid.any()  # a missing value is no observation
    assert not fleet.duplicated.any()


@pytest.mark.parametrize(
    "index",
    [
        DAYS,
        pd.DatetimeIndex(DAYS),
        pd.DatetimeIndex(DAYS, name="date"),
        pd.PeriodIndex(DAYS, freq="D"),
        pd.Index([date.fromisoformat(day) for day in DAYS]),
        pd.DatetimeIndex(DAYS, tz="UTC"),
    ],
    ids=["text", "datetime", "named date", "period", "date", "UTC"],
)
def test_wide_with_the_dates_as_index(index: Any) -> None:
    fleet = Fleet.from_wide(pd.DataFrame({"lamp": [1.0, NAN, 3.0]}, index=index))
    same(fleet.values, [[1], [NAN], [NAN], [3]])


@pytest.mark.parametrize("columns", [[4, 4399], [1, "b"]])
def test_wide_with_numbers_as_ids(columns: list[Any]) -> None:
    index = pd.DatetimeIndex(DAYS[:2])
    fleet = Fleet.from_wide(pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=columns, index=index))
    assert fleet.device_ids == tuple(columns)
    same(fleet.values, [[1, 2], [3, 4]])


def test_wide_days_in_any_order_and_twice() -> None:
    index = pd.DatetimeIndex(["2020-01-03", "2020-01-01", "2020-01-03", "2020-01-02"])
    fleet = Fleet.from_wide(pd.DataFrame({"a": [3.0, 1, 9, 2], "b": [NAN, 4, 6, INF]}, index=index))
    same(fleet.values, [[1, 4], [2, NAN], [3, 6]])
    same(fleet.duplicated, [[False, False], [False, False], [True, False]])
    same(fleet.invalid, [[False, False], [False, True], [False, False]])


def test_a_device_without_any_observation_is_still_a_device() -> None:
    fleet = Fleet.from_wide(pd.DataFrame({"a": [1.0, 2.0], "b": [NAN, NAN]}, index=pd.DatetimeIndex(DAYS[:2])))
    assert fleet.device_ids == ("a", "b")
    same(fleet.values, [[1, NAN], [2, NAN]])


def test_wide_and_long_tell_the_same_fleet() -> None:
    wide = pl.DataFrame({"date": DAYS, "a": [1.0, None, 3.0], "b": [4.0, 5.0, 6.0]})
    table = wide.unpivot(index="date", variable_name="device_id", value_name="value").drop_nulls()
    first, second = Fleet.from_wide(wide), Fleet.from_long(table)
    assert first.device_ids == second.device_ids
    for part in ("dates", "values", "duplicated", "invalid"):
        same(getattr(first, part), getattr(second, part))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pl.DataFrame({"lamp": [1.0]}), "got neither; add one"),
        (pl.DataFrame({"date": DAYS}), "at least one day and one device are needed"),
        (pd.DataFrame({"lamp": []}, index=pd.DatetimeIndex([])), "at least one day and one device are needed"),
        (pl.DataFrame({"date": DAYS, "lamp": ["a", "b", "c"]}), "column lamp must hold numbers, got String"),
        (pd.DataFrame({"lamp": [1.0, 2.0]}, index=pd.DatetimeIndex([DAYS[0], None])), "every row needs a date"),
        (pd.DataFrame({"lamp": [1.0, 2.0]}, index=pd.date_range(DAYS[0], periods=2, freq="h")), "dates must be days"),
        (pd.DataFrame({"lamp": [1.0, 2.0]}), "dates must be days"),
    ],
    ids=["no date", "no device", "no day", "words", "no day in a row", "hours", "no dates in the index"],
)
def test_what_is_wrong_with_a_wide_table_is_said_in_one_line(frame: Any, said: str) -> None:
    with pytest.raises(InputError) as error:
        Fleet.from_wide(frame)
    assert ONE_LINE.fullmatch(str(error.value))
    assert said in str(error.value)


# --- what is no table, no day or no id --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        None,
        [1, 2],
        np.zeros((2, 2)),
        pl.Series([1.0]),
        pl.LazyFrame(long([DAYS[0]], [1], [1.0])),
        pd.DataFrame([[DAYS[0], 1, 2.0, 3.0]], columns=["date", "device_id", "value", "value"]),
    ],
    ids=["None", "list", "array", "series", "lazy", "repeated column"],
)
def test_no_table_at_all(frame: Any) -> None:
    for build in (Fleet.from_long, Fleet.from_wide):
        with pytest.raises(InputError) as error:
            build(frame)
        assert ONE_LINE.fullmatch(str(error.value))


@pytest.mark.parametrize("day", [0, 20200101, 18262])
def test_a_number_is_no_date(day: int) -> None:
    with pytest.raises(InputError, match="dates must be days such as 2020-01-31") as error:
        Fleet.from_long(pl.DataFrame(long([day], [1], [1.0])))
    assert str(day) in str(error.value)


def test_midnight_is_midnight_where_the_record_is_from() -> None:
    moments = [datetime(2020, 1, day, tzinfo=timezone(timedelta(hours=1))) for day in (1, 2)]
    fleet = Fleet.from_long(pd.DataFrame(long(moments, [1, 1], [1.0, 2.0])))
    same(fleet.dates, np.array(DAYS[:2], "datetime64[D]"))


def test_nan_is_no_id() -> None:
    with pytest.raises(InputError, match="every row needs a device_id"):
        Fleet.from_long(pl.DataFrame(long(DAYS[:2], [NAN, 1.0], [1.0, 2.0])))


@pytest.mark.parametrize("text", ["31.01.2020", None], ids=["not ISO", "null"])
def test_a_bad_date_is_said_as_every_other_error(text: str | None) -> None:
    with pytest.raises(InputError) as error:
        Fleet.from_long(pd.DataFrame(long([DAYS[0], text], [1, 1], [1.0, 2.0])))
    assert ONE_LINE.fullmatch(str(error.value))
