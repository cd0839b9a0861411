"""Ranks of each series as normal quantiles: what is looked for in the order of days does not depend on their law."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from oddfleet.detect import moments
from oddfleet.model import BoolArray, FloatArray, IntArray


def normal_scores(values: FloatArray) -> FloatArray:
    """Ranks of each column as normal quantiles, scaled to mean 0 and mean square 1.

    Args:
        values: float64 (days, devices), NaN = no observation.

    Returns:
        float64 (days, devices); 0, which is the mean, where there is no observation, and throughout a constant column.

    >>> np.round(normal_scores(np.array([[1.0], [5.0], [2.0]])), 2)[:, 0].tolist()
    [-1.22, 1.22, 0.0]
    """
    seen = np.isfinite(values)
    count = seen.sum(axis=0)
    whole = bool(seen.all())
    filled = values if whole else np.where(seen, values, np.inf)
    order = np.argsort(filled, axis=0)
    # To sort once more is quicker than to take the values in that order.
    ordered = np.sort(filled, axis=0)
    ties = ordered[1:] == ordered[:-1]
    if not whole:
        ranks = np.where(seen, _average_ranks(order, ties), 1)
        scores = np.where(seen, _quantile(ranks, count), 0.0)
        scores -= np.where(seen, scores.sum(axis=0) / np.maximum(count, 1), 0.0)
    elif ties.any():
        # Ranks come in halves, and all columns share the quantiles of these.
        quantiles = _quantile(np.arange(2 * len(values) + 1) / 2, len(values))
        if (ties[1:] & ties[:-1]).any():
            scores = quantiles[(2 * _average_ranks(order, ties)).astype(np.int64)]
        else:
            scores = _placed(order, _of_pairs(quantiles, ties))
        scores -= scores.mean(axis=0)
    else:
        scores = _placed(order, _quantile(np.arange(1, len(values) + 1), len(values))[:, None])
    size = np.sqrt((scores**2).sum(axis=0) / np.maximum(count, 1))
    result: FloatArray = np.where(size > 1e-9, scores / np.where(size > 1e-9, size, 1.0), 0.0)
    return result


def _of_pairs(quantiles: FloatArray, ties: BoolArray) -> FloatArray:
    """Quantiles (days, devices) of sorted columns of which no more than two in a row are the same.

    Distances from a median have just one such pair.

    Args:
        quantiles: float64 (2 * days + 1,), those of the ranks 0, 1/2, 1 and so on.
        ties: as in ``_average_ranks``.
    """
    each = np.repeat(quantiles[2::2, None], ties.shape[1], axis=1)
    day, device = np.nonzero(ties)
    each[day, device] = each[day + 1, device] = quantiles[2 * day + 3]
    return each


def _average_ranks(order: IntArray, ties: BoolArray) -> FloatArray:
    """Ranks (days, devices) from 1 of columns that ``order`` sorts; those that tie share the mean of theirs.

    As ``scipy.stats.rankdata``, whose import alone takes longer than to judge a thousand devices.

    Args:
        order: int (days, devices), indices that sort each column.
        ties: bool (days - 1, devices), whether each of the sorted values is the same as the next.
    """
    place = np.arange(1.0, len(order) + 1)[:, None]
    first, last = (np.repeat(place, order.shape[1], axis=1) for _end in range(2))
    first[1:][ties], last[:-1][ties] = 0.0, np.inf
    first = moments.running(np.maximum, first)
    last = moments.running(np.minimum, last[::-1])[::-1]
    return _placed(order, (first + last) / 2)


def _placed(order: IntArray, ordered: FloatArray) -> FloatArray:
    """Numbers of sorted columns (days, devices or 1) back where they came from."""
    placed = np.empty(order.shape)
    np.put_along_axis(placed, order, ordered, axis=0)
    return placed


def _quantile(rank: IntArray | FloatArray, count: IntArray | int) -> FloatArray:
    """The normal quantile of a rank among so many (Blom 1958)."""
    quantile: FloatArray = ndtri((rank - 0.375) / (count + 0.25))
    return quantile
