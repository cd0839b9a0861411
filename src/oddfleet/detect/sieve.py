"""A fleet's cohorts as a sieve through which every other device goes, one block of devices at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from oddfleet.detect import days, fingerprints, newcomers, promises, repeats, runs
from oddfleet.detect.features import COMPARED
from oddfleet.detect.fingerprints import Prints
from oddfleet.detect.groups import Panel, stand_out
from oddfleet.detect.judge import Judgement
from oddfleet.detect.newcomers import Bench
from oddfleet.detect.promises import Broken
from oddfleet.detect.repeats import Repeats, Setting
from oddfleet.detect.windows import Windows
from oddfleet.model import BoolArray, DateArray, Fleet, FloatArray, IntArray, Kind


@dataclass(frozen=True, slots=True, eq=False)
class Sifted:
    """What is known of a block of devices by themselves.

    Attributes:
        places: int (devices,), where they are in the fleet.
        replays: what they repeat of themselves, and
        prints: by what they may be found to repeat each other.
        broken: the promises.
        total: float64 (2, days), what they carried in all and how many were seen.
        silent: on how many days each has been silent when the record ends.
        newcomers: places (newcomers,) of those that are judged here, and
        group: in which cohort each is judged,
        log_p: the log p-value of its most surprising test, and
        features: float64 (features, newcomers), rows as in ``COMPARED``.
    """

    places: IntArray
    replays: Repeats
    prints: Prints
    broken: dict[Kind, Broken]
    total: FloatArray
    silent: IntArray
    newcomers: IntArray
    group: IntArray
    log_p: FloatArray
    features: FloatArray


class Sieve:
    """Judges devices that are no members of the cohorts of their fleet.

    Attributes:
        setting: what must be known of the fleet to find repetitions.
    """

    def __init__(self, panel: Panel, taught: Fleet, learns: BoolArray, labels: npt.NDArray[np.object_] | None) -> None:
        """Sum up what the cohorts say.

        Args:
            panel: the cohorts.
            taught: the fleet of their members.
            learns: bool (devices of the whole fleet,), who is one.
            labels: the cohort of each device of the whole fleet by a column; None where kinds were found.
        """
        self.setting = Setting.of(taught.values, len(learns))
        self._panel, self._learns, self._labels = panel, learns, labels
        self._gaps = promises.gaps(taught)
        self._benches = [Bench.of(group.judgement) for group in panel.groups]
        self._wholes = {
            group.kind: (Bench.of(group.parting.whole), group.parting.limit)
            for group in panel.groups
            if group.parting is not None
        }

    def sift(self, block: tuple[IntArray, Fleet]) -> Sifted:
        """All that can be said of a block of devices, from their places and the devices."""
        places, fleet = block
        values = np.ascontiguousarray(fleet.values)
        new = ~self._learns[places]
        chosen = places[new]
        group, log_p = np.zeros(len(chosen), np.int64), np.zeros(len(chosen))
        features = np.full((len(COMPARED), len(chosen)), np.nan)
        for number, some, judged in self.judged(chosen, values[:, new], fleet.dates):
            group[some], log_p[some] = number, judged.log_p.min(axis=0)
            features[:, some] = judged.table.values
        replays, prints = self._repeats(places, values)
        broken, total = promises.broken(fleet, self._gaps), days.totals(values)
        silent = runs.silent_to_the_end(values)
        return Sifted(places, replays, prints, broken, total, silent, chosen, group, log_p, features)

    def _repeats(self, places: IntArray, values: FloatArray) -> tuple[Repeats, Prints]:
        if self.setting.window > len(values) // 2:
            return repeats.nothing(len(places)), fingerprints.none()
        windows = Windows.of(values, self.setting.window)
        prints = fingerprints.find(windows, places, repeats.rare_windows(values, self.setting))
        return repeats.among(values, self.setting, windows)[0], prints

    def judged(
        self, places: IntArray, values: FloatArray, dates: DateArray
    ) -> Iterator[tuple[int, IntArray, Judgement]]:
        """Newcomers judged by cohort: its number, which of the newcomers (int), and their tests.

        Args:
            places: int (newcomers,), where they are in the fleet.
            values: float64 (days, newcomers), MB a day; NaN = no observation.
            dates: datetime64[D] (days,).
        """
        group = self._groups_of(places, values, dates)
        for number in np.unique(group).tolist():
            some = np.flatnonzero(group == number)
            yield number, some, newcomers.judge(self._benches[number], values[:, some])

    def _groups_of(self, places: IntArray, values: FloatArray, dates: DateArray) -> IntArray:
        """The number of the cohort (newcomers,) in which each is judged."""
        groups, kinds = self._panel.groups, self._panel.kinds
        if self._labels is not None:
            number = {group.label: place for place, group in enumerate(groups)}
            return np.array([number[label] for label in self._labels[places]], np.int64)
        if kinds is None or len(groups) == 1:
            return np.zeros(len(places), np.int64)
        kind = kinds.of(values, dates)
        first: dict[int, int] = {}
        for place, group in enumerate(groups):
            first.setdefault(group.kind, place)
        group_of = np.array([first[one] for one in kind.tolist()], np.int64)
        for one in np.intersect1d(kind, list(self._wholes)).astype(int).tolist():
            some, (whole, limit) = np.flatnonzero(kind == one), self._wholes[one]
            group_of[some] += stand_out(newcomers.judge(whole, values[:, some]).log_p, limit)
        return group_of
