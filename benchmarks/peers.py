"""What others would name: peers for ``detection.py``, each with its own default settings.

A peer takes a fleet and gives the ids of the devices that it calls outliers; none of them says of what kind or since
when. They see what such tools are given, the matrix of values, and not the marks of doubled or unreadable lines. Where
a default cannot be applied to so small a fleet (five or ten neighbours among three devices), the peer names none.
PyOD's forests draw at random; they are seeded here, so that the same fleet gives the same answer.

The feature table of the peers stands in for the 22 features of catch22 with mean and standard deviation, whose
package for Python, pycatch22, is under the GPL. It is numpy alone and takes what is usual in such tables: moments,
autocorrelations, shares of zeros and lost days, trend, spectral entropy, CUSUM, runs. It shares no line with oddfleet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import spatial, stats

from oddfleet.model import BoolArray, DeviceId, Fleet, FloatArray, IntArray

TO_SIGMA = 1.4826
"""The standard deviation of a normal distribution over its median absolute deviation."""


@dataclass(frozen=True)
class Peer:
    """A peer: its title in the tables, what it names, and the modules that it needs."""

    title: str
    odd_ids: Callable[[Fleet], list[DeviceId]]
    needs: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """The modules that are not installed."""
        return [module for module in self.needs if find_spec(module) is None]


def iforest_on_rows(fleet: Fleet) -> list[DeviceId]:
    """PyOD's isolation forest, one row a device and one column a day."""
    return _forest(fleet, filled(fleet).T)


def iforest_on_features(fleet: Fleet) -> list[DeviceId]:
    """PyOD's isolation forest on the feature table."""
    return _forest(fleet, feature_table(fleet))


def knn_with_threshold(fleet: Fleet) -> list[DeviceId]:
    """PyOD's distance to the fifth neighbour on the feature table, cut by pythresh's MAD."""
    from pyod.models.knn import KNN  # noqa: PLC0415 - slow to import and not always there
    from pythresh.thresholds.mad import MAD  # noqa: PLC0415

    model = KNN()
    if fleet.n_devices <= model.n_neighbors:
        return []
    return _chosen(fleet, MAD().eval(model.fit(feature_table(fleet)).decision_scores_) == 1)


def local_outlier_factor(fleet: Fleet) -> list[DeviceId]:
    """scikit-learn's local outlier factor on the feature table: ``contamination="auto"`` is its default."""
    from sklearn.neighbors import LocalOutlierFactor  # noqa: PLC0415

    return _chosen(fleet, LocalOutlierFactor().fit_predict(feature_table(fleet)) == -1)


def fixed_rules(fleet: Fleet) -> list[DeviceId]:
    """Mean or variance beyond 3 sigma of the fleet, lag-one correlation beyond 0.3, or (D'Agostino) not normal at 1 %.

    The sigma of the fleet is its plain standard deviation.
    """
    values = filled(fleet)
    moments = np.stack([values.mean(axis=0), values.var(axis=0)])
    centre, spread = moments.mean(axis=1, keepdims=True), moments.std(axis=1, keepdims=True)
    far = (np.abs(moments - centre) > 3 * spread).any(axis=0)
    not_normal = stats.normaltest(fleet.values, axis=0, nan_policy="omit").pvalue < 0.01
    return _chosen(fleet, far | not_normal | (np.abs(_autocorrelation(_standardised(values), 1)) > 0.3))


def datadog_mad(fleet: Fleet, tolerance: float = 3.0, share: float = 0.2) -> list[DeviceId]:
    """Datadog's outlier algorithm "MAD" with the settings of its documentation, tolerance 3 and pct 20.

    All points of all series are one data set with one median and one MAD, brought to the scale of sigma; a series with
    more than ``share`` of its points beyond ``tolerance`` of those is an outlier. (Homin Lee, "Outlier detection in
    Datadog: a look at the algorithms", 2015.)
    """
    distance = np.abs(fleet.values - np.nanmedian(fleet.values))
    return _chosen(fleet, _often(distance > tolerance * TO_SIGMA * np.nanmedian(distance), fleet, share))


def daily_mad(fleet: Fleet, tolerance: float = 3.0, share: float = 0.2) -> list[DeviceId]:
    """The same, each day against the median and the MAD of that day."""
    distance = np.abs(fleet.values - np.nanmedian(fleet.values, axis=1, keepdims=True))
    limit = tolerance * TO_SIGMA * np.nanmedian(distance, axis=1, keepdims=True)
    return _chosen(fleet, _often(distance > limit, fleet, share))


def stray(fleet: Fleet, neighbours: int = 10, alpha: float = 0.01) -> list[DeviceId]:
    """The stray algorithm on the feature table, written anew, for the package, in R, is under the GPL; its defaults.

    A device's score is its distance to that one of its ten nearest neighbours before which the distances leap most,
    every feature being brought to 0 to 1. (Talagala, Hyndman and Smith-Miles 2021, Anomaly Detection in
    High-Dimensional Data, J. Comput. Graph. Stat. 30(2), 360-374.)
    """
    if fleet.n_devices <= neighbours:
        return []
    table = feature_table(fleet)
    table = (table - table.min(axis=0)) / np.where(np.ptp(table, axis=0) > 0, np.ptp(table, axis=0), 1)
    distances, _ = spatial.KDTree(table).query(table, neighbours + 1)  # the nearest is the device itself, at 0
    leap = np.diff(distances, axis=1).argmax(axis=1) + 1
    scores = distances[np.arange(len(table)), leap]
    return _chosen(fleet, scores > _end_of_body(scores, alpha))


def _end_of_body(scores: FloatArray, alpha: float, largest_sample: int = 50) -> float:
    """The last score before the first gap that is too wide, from the middle up; infinite where there is none.

    Below a maximum in the domain of the Gumbel law the spacings D1, D2, ... (D1 the topmost) times their rank are
    independent and exponential with one mean (Weissman 1978). So the mean of j Dj over the gaps just below estimates
    what a gap would be if it were the topmost, and one in ``alpha`` of those exceeds it log(1 / alpha) times.
    """
    ranked = np.sort(scores)
    gaps = np.diff(ranked)
    ranks = np.arange(2, max(min(largest_sample, len(scores) // 4), 2) + 1)
    below = sliding_window_view(gaps, len(ranks))[:-1]
    wide = gaps[len(ranks) :] > np.log(1 / alpha) * (below @ ranks[::-1]) / len(ranks)
    places = np.flatnonzero(wide) + len(ranks)
    places = places[places >= len(scores) // 2 - 1]
    return float(ranked[places[0]]) if len(places) else np.inf


def filled(fleet: Fleet) -> FloatArray:
    """Values (days, devices), a lost day being the device's median; 0 for a device without any."""
    return np.nan_to_num(np.where(np.isnan(fleet.values), np.nanmedian(fleet.values, axis=0), fleet.values))


def feature_table(fleet: Fleet) -> FloatArray:
    """Features (devices, features), each less its median over its MAD (its standard deviation where that is 0)."""
    values = filled(fleet)
    z = _standardised(values)
    days = np.arange(len(z)) / len(z) - 0.5
    halves = [part.var(axis=0) + 1e-9 for part in np.array_split(z, 2)]
    table = np.stack(
        [
            values.mean(axis=0),
            values.std(axis=0),
            (z**3).mean(axis=0),
            (z**4).mean(axis=0),
            _autocorrelation(z, 1),
            _autocorrelation(z, 7),
            (values == 0).mean(axis=0),
            np.abs(z).max(axis=0),
            days @ z / (days @ days),
            _spectral_entropy(z),
            np.abs(z.cumsum(axis=0)).max(axis=0) / np.sqrt(len(z)),
            np.log(halves[1] / halves[0]),
            _longest_run(fleet.values),
            (np.diff(np.sort(fleet.values, axis=0), axis=0) > 0).sum(axis=0) + 1,
            np.isnan(fleet.values).mean(axis=0),
        ],
        axis=1,
    )
    table -= np.median(table, axis=0)
    spread = TO_SIGMA * np.median(np.abs(table), axis=0)
    spread = np.where(spread > 0, spread, table.std(axis=0))
    return np.asarray(table / np.where(spread > 0, spread, 1))


def _standardised(values: FloatArray) -> FloatArray:
    """Each device less its mean, over its standard deviation; 0 for a constant."""
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0, spread, np.inf))


def _autocorrelation(z: FloatArray, lag: int) -> FloatArray:
    return np.asarray((z[lag:] * z[:-lag]).sum(axis=0) / len(z))


def _spectral_entropy(z: FloatArray) -> FloatArray:
    """Entropy of the periodogram (devices,), 1 for white noise that were perfectly flat, 0 for one period."""
    power = np.abs(np.fft.rfft(z, axis=0)[1:]) ** 2
    share = power / np.maximum(power.sum(axis=0), 1e-300)
    return np.asarray(stats.entropy(share + 1e-300, axis=0) / np.log(len(share)))


def _longest_run(values: FloatArray) -> IntArray:
    """The most days in a row with one value (devices,); a lost day ends a run."""
    same = values[1:] == values[:-1]
    total = same.cumsum(axis=0)
    before = np.maximum.accumulate(np.where(same, 0, total), axis=0)
    return np.asarray((total - before).max(axis=0) + 1)


def _forest(fleet: Fleet, table: FloatArray) -> list[DeviceId]:
    from pyod.models.iforest import IForest  # noqa: PLC0415 - slow to import and not always there

    return _chosen(fleet, IForest(random_state=0).fit(table).labels_ == 1)


def _often(far: BoolArray, fleet: Fleet, share: float) -> BoolArray:
    """Whether more than a share of a device's points are far (devices,)."""
    return np.asarray(far.sum(axis=0) > share * np.isfinite(fleet.values).sum(axis=0))


def _chosen(fleet: Fleet, odd: BoolArray) -> list[DeviceId]:
    return [fleet.device_ids[place] for place in np.flatnonzero(odd)]


PEERS: dict[str, Peer] = {
    "iforest_rows": Peer("PyOD IForest, rows", iforest_on_rows, ("pyod",)),
    "iforest": Peer("PyOD IForest on features", iforest_on_features, ("pyod",)),
    "rules": Peer("fixed rules on mean, variance, ACF, normality", fixed_rules),
    "datadog_mad": Peer("Datadog's MAD (all days together)", datadog_mad),
    "daily_mad": Peer("Datadog's MAD, day by day", daily_mad),
    "knn": Peer("PyOD KNN on features + pythresh MAD", knn_with_threshold, ("pyod", "pythresh")),
    "lof": Peer('scikit-learn LOF "auto" on features', local_outlier_factor, ("sklearn",)),
    "stray": Peer("stray (our own version) on features", stray),
}
"""All peers by the name that ``detection.py --methods`` takes."""
