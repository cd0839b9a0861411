"""What goes together in a fleet: features that follow from a device's level and spread, freed of that.

A device of twice the traffic varies twice as much, and one that counts small numbers is lopsided; neither is odd for
it. Where the devices of a cohort truly differ in level, every other feature is replaced by its distance from
what is usual at that level, and so on for the spread that the level does not explain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc

from oddfleet.detect import moments
from oddfleet.detect.features import COMPARED, EXTREMES, FeatureTable
from oddfleet.detect.moments import middle, pooled_error, robust_spread
from oddfleet.model import BoolArray, FloatArray

OF_DISTRIBUTION = (*moments.MOMENTS, "distinct_share", *EXTREMES)
EXPLAINS = ("level_log_mb", "spread_log_mb")
"""The features that others may follow from, in this order."""
TRUE_DIFFERENCE = 3.0
"""Devices differ in level where they spread this many times wider than the record's length explains."""
DEGREES = {4: (0, 1), 12: (1, 2), 30: (2, 3), 100: (4, 3)}
"""So many devices, at least, for a curve of this degree, and the degree of the rival that it is doubted by."""
FEW = 30
"""Among fewer devices one alone can hide a tie, or make one."""
CHANCE = 1e-4
"""A tie is one that chance would not give once in so many features."""
MANY = 100
"""Among so many counting devices it shows how far from the curve those of a level lie."""
MOST_UNEVEN = 2.0
"""No device is taken to lie nearer or farther by more than this factor."""
HELD = 2.5
"""Whether there is a tie is asked with no device further out than so many robust spreads."""
_REACH = 4.0
_ROUNDS = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Tie:
    """A curve through the cohort: a feature against one that explains it.

    Attributes:
        feature: row of the feature.
        by: row of the explaining one, itself freed of what explains it.
        centre: the middle of the explaining one.
        spread: its robust spread.
        weights: coefficients of the powers, from 0 on.
        rival: the same of a curve of another degree.
        covariance: of the weights.
        reach: first and last place of the devices behind it; beyond, what is usual at the end is.
        body: the same without the twentieth at either end, where few devices say how far from the curve they lie.
        scatter: coefficients of the powers of how far devices lie from the curve, where 1 is usual; empty where that is
            even.
    """

    feature: int
    by: int
    centre: float
    spread: float
    weights: FloatArray
    rival: FloatArray
    covariance: FloatArray
    reach: tuple[float, float]
    body: tuple[float, float]
    scatter: FloatArray

    def freed(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The feature (devices,) of a table (features, devices) freed of what explains it, and the doubt."""
        usual, doubt = self.usual(values)
        middle = self.weights[0]
        return middle + (values[self.feature] - usual - middle) / self._size(values), doubt

    def _size(self, values: FloatArray) -> FloatArray:
        """How far from the curve devices like these (devices,) lie, where 1 is usual."""
        if not self.scatter.size:
            return np.ones(values.shape[1])
        place = np.clip((values[self.by] - self.centre) / self.spread, *self.body)
        size: FloatArray = _powers(place, len(self.scatter) - 1) @ self.scatter
        return np.clip(np.nan_to_num(size, nan=1.0), 1 / MOST_UNEVEN, MOST_UNEVEN)

    def usual(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What is usual of the feature (devices,), less what is in the cohort's middle, and how sure that is not.

        The doubt is the standard error of the curve, and how far a rival curve is from it: where devices are
        dense the two agree, at the ends of the cohort nobody can say which is right.
        """
        place = (values[self.by] - self.centre) / self.spread
        inside = np.clip(place, *self.reach)
        powers, plain = (_powers(inside, len(weights) - 1) for weights in (self.weights, self.rival))
        usual = powers @ self.weights
        apart = usual - plain @ self.rival
        beyond = _powers(place, len(self.weights) - 1) @ self.weights - usual
        error = ((powers @ self.covariance) * powers).sum(axis=1)
        return np.nan_to_num(usual - self.weights[0]), np.nan_to_num(np.sqrt(apart**2 + beyond**2 + error))


@dataclass(frozen=True, slots=True, eq=False)
class Ties:
    """All ties of a cohort, in the order in which they are loosened."""

    ties: tuple[_Tie, ...]

    def loosen(self, table: FeatureTable) -> FeatureTable:
        """The table with every tied feature freed of what explains it; the doubt adds to its error."""
        values, errors = table.values.copy(), table.errors.copy()
        for tie in self.ties:
            values[tie.feature], doubt = tie.freed(values)
            errors[tie.feature] = np.hypot(errors[tie.feature], doubt)
        return FeatureTable(values, errors, table.batches)


def find(table: FeatureTable, *, counted: bool) -> Ties:
    """Find the ties of a cohort by robust regression on level, then on the spread that level leaves.

    Args:
        table: features of the cohort's devices.
        counted: whether the traffic is like counts, whose distribution follows from their level: then a tie of its
            features is doubted even where too few devices show it.
    """
    values, found = table.values.copy(), []
    for position, name in enumerate(EXPLAINS):
        by = COMPARED.index(name)
        if not _truly_differs(values[by], table.errors[by], table.batches, counted=counted):
            continue
        for feature in range(len(COMPARED)):
            if COMPARED[feature] not in EXPLAINS[: position + 1]:
                tie = _tie(values, feature, by, counted=counted)
                if tie is not None:
                    values[feature], _ = tie.freed(values)
                    found.append(tie)
    return Ties(tuple(found))


def _truly_differs(values: FloatArray, errors: FloatArray, batches: int, *, counted: bool) -> bool:
    known = values[np.isfinite(values)]
    if len(known) < min(DEGREES):
        return False
    spread = float(np.std(known)) if counted and len(known) < FEW else robust_spread(known)
    return spread > TRUE_DIFFERENCE * pooled_error(errors, batches)


def _tie(values: FloatArray, feature: int, by: int, *, counted: bool) -> _Tie | None:
    """The curve of one feature against another, by least squares without the devices that are far off.

    None where there are too few devices, or chance would give the curve; of counts it is then flat, and the doubt
    remains.
    """
    known = np.isfinite(values[feature]) & np.isfinite(values[by])
    count = int(known.sum())
    if count < min(DEGREES):
        return None
    x, y = values[by, known], values[feature, known]
    degree, rival = next(pair for fewest, pair in sorted(DEGREES.items(), reverse=True) if count >= fewest)
    centre, spread = middle(x), max(robust_spread(x), 1e-12)
    place = (x - centre) / spread
    terms = _powers(place, degree)
    near = _near(terms, y, np.abs(place) <= _REACH)
    freedom = int(near.sum()) - degree - 1
    doubted = counted and COMPARED[feature] in OF_DISTRIBUTION
    shown = degree > 0 and _chance(terms[near], _held(y[near]), freedom) < CHANCE
    if not shown and not doubted:
        return None
    weights, covariance = _fit(terms[near] if shown else terms[near, :1], y[near], freedom)
    # Among few counts, one far from the others in level counts for the rival, whatever it shows.
    heard = np.ones(count, bool) if counted and count < FEW else near
    rivals = np.linalg.lstsq(_powers(place, rival)[heard], y[heard])[0]
    first, low, high, last = np.quantile(place[near], [0.0, 0.05, 0.95, 1.0]).tolist()
    scatter = _scatter(terms[near], y[near], weights) if doubted and count >= MANY else np.zeros(0)
    return _Tie(feature, by, centre, spread, weights, rivals, covariance, (first, last), (low, high), scatter)


def _scatter(terms: FloatArray, y: FloatArray, weights: FloatArray) -> FloatArray:
    """How far devices lie from the curve: a curve of its own (Glejser 1969), over its middle; empty where that is 0."""
    left = np.abs(y - terms[:, : len(weights)] @ weights)
    scatter: FloatArray = np.asarray(np.linalg.lstsq(terms, left)[0], float)
    usual = middle(terms @ scatter)
    return scatter / usual if usual > 0 else np.zeros(0)


def _held(y: FloatArray) -> FloatArray:
    """Values (devices,) held to what a healthy one may be: a handful of odd devices at one end makes no tie."""
    centre, reach = middle(y), HELD * robust_spread(y)
    held: FloatArray = np.clip(y, centre - reach, centre + reach)
    return held


def _near(terms: FloatArray, y: FloatArray, inside: BoolArray) -> BoolArray:
    """Which of the devices inside the cohort (bool) a curve passes near, found by fitting again without the others."""
    near = inside
    for _round in range(_ROUNDS):
        left = y - terms @ np.linalg.lstsq(terms[near], y[near])[0]
        away = np.abs(left - middle(left[inside]))
        nearer = inside & (away <= _REACH * max(robust_spread(left[inside]), 1e-12))
        if (nearer == near).all():
            break
        near = nearer
    return near


def _fit(terms: FloatArray, y: FloatArray, freedom: int) -> tuple[FloatArray, FloatArray]:
    """Coefficients by least squares, and their covariance."""
    weights: FloatArray = np.asarray(np.linalg.lstsq(terms, y)[0], float)
    rest = float(((y - terms @ weights) ** 2).sum())
    covariance: FloatArray = np.linalg.pinv(terms.T @ terms) * rest / freedom
    return weights, covariance


def _chance(terms: FloatArray, y: FloatArray, freedom: int) -> float:
    """How likely chance explains so much: the F test of regression."""
    explained = float(((y - y.mean()) ** 2).sum())
    rest = float(((y - terms @ np.linalg.lstsq(terms, y)[0]) ** 2).sum())
    degree = terms.shape[1] - 1
    return 1.0 if explained == 0 else float(betainc(freedom / 2, degree / 2, min(rest / explained, 1.0)))


def _powers(place: FloatArray, degree: int) -> FloatArray:
    """Powers (devices, degree + 1) of where a device stands, in robust spreads from the cohort's middle.

    Far outside the cohort no curve can be trusted; there each power goes on along its tangent.
    """
    inside = np.clip(place, -_REACH, _REACH)
    beyond = place - inside
    powers = [np.ones(len(place))]
    for _degree in range(degree):
        powers.append(powers[-1] * inside)
    tangents = [np.zeros(len(place)), *(power * lower for power, lower in enumerate(powers[:-1], 1))]
    terms: FloatArray = np.stack([power + beyond * tangent for power, tangent in zip(powers, tangents, strict=True)], 1)
    return terms
