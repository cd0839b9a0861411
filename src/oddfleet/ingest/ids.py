"""Device ids: a number where the text is a whole number, else the text itself."""

from __future__ import annotations

import re

import polars as pl

from oddfleet.model import DeviceId

# Eighteen digits always fit an Int64. '7.0' is how a table tool writes 7 once a column had a gap.
_WHOLE_NUMBER = re.compile(r"(-?\d{1,18})(?:\.0+)?", re.ASCII)


def device_id(text: str) -> DeviceId:
    """The id that a text stands for.

    >>> device_id("007"), device_id("7.0"), device_id("gate-7")
    (7, 7, 'gate-7')
    """
    match = _WHOLE_NUMBER.fullmatch(text)
    return int(match[1]) if match else text


def with_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with a column ``device_id`` of texts, those as ids: Int64, or String as soon as one of them is no number."""
    texts = rows["device_id"]
    if texts.dtype != pl.String:
        return rows
    ids = {text: device_id(text) for text in texts.unique().to_list()}
    if all(isinstance(value, int) for value in ids.values()):
        return rows.with_columns(texts.replace_strict(ids, return_dtype=pl.Int64))
    return rows.with_columns(texts.replace_strict({text: str(value) for text, value in ids.items()}))
