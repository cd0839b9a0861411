"""Pieces of text to blocks of rows, each by the fastest reader that gets it right."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import polars as pl

from oddfleet.ingest.clean import read_clean
from oddfleet.ingest.exact import read_exactly
from oddfleet.ingest.layout import Block, Piece, Refusal, columns_of


def read_pieces(pieces: Sequence[Piece]) -> list[Block]:
    """Read pieces of text, of whatever layouts; one block a piece, in the same order."""
    blocks: list[Block] = []
    for plan, run in groupby(pieces, key=lambda piece: piece.plan):
        alike = list(run)
        if isinstance(plan, Refusal):
            blocks += [read_exactly(piece) for piece in alike]
            continue
        tables = read_clean([piece.body for piece in alike], plan)
        nothing = pl.DataFrame(schema=columns_of(plan)).drop("value")
        blocks += [
            read_exactly(piece) if table is None else Block(table, nothing, (), table.height)
            for piece, table in zip(alike, tables, strict=True)
        ]
    return blocks
