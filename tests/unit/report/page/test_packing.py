from __future__ import annotations

import base64

import numpy as np
import pytest

from oddfleet.report.page.packing import packed, telling_days


def test_packed_numbers_are_read_again() -> None:
    values = np.array([0.0, -1.5, 1234.5678, np.nan, 1e15, 1e-9])
    again = np.frombuffer(base64.b64decode(packed(values)), "<f4")
    np.testing.assert_allclose(again, values, rtol=1e-6)


def test_all_days_of_a_short_record_are_drawn() -> None:
    assert telling_days(np.full(400, 1.0), 400).tolist() == list(range(400))


def test_a_long_record_is_thinned_and_keeps_its_peaks_and_gaps() -> None:
    series = np.full(3650, 100.0)
    series[1234], series[2000], series[3000:3100] = 190.0, 10.0, np.nan
    days = telling_days(series, 400)
    assert len(days) <= 400
    assert {1234, 2000} <= set(days.tolist())
    gap = np.isnan(series[days])
    assert 1 <= gap.sum() <= 6
    assert (days[gap] >= 3000).all()
    assert (days[gap] < 3100).all()


@pytest.mark.parametrize("most", [2, 3, 7, 50])
def test_never_more_days_than_wanted(most: int) -> None:
    days = telling_days(np.random.default_rng(1).normal(size=501), most)
    assert 0 < len(days) <= most
    assert (np.diff(days) > 0).all()
