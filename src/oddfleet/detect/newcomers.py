"""Devices judged by a cohort of which they are no members, each as if it were its next device.

So a fleet of any size is judged in blocks: some thousands of its devices say what is usual, and what is said of every
other one depends on nothing but that and its own series.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from oddfleet.detect import farthest, features, habits, lapses, predictive, shared, surprise
from oddfleet.detect.farthest import Farthest, Pool
from oddfleet.detect.features import COMPARED, Block, FeatureTable
from oddfleet.detect.judge import (
    Judgement,
    above_middle,
    block_of,
    jury_of,
    log_surprise_combined,
    with_coupling,
    with_far_days,
)
from oddfleet.detect.scale import Scale
from oddfleet.detect.shared import Shared
from oddfleet.model import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """A cohort that sits in judgement of others, with all that it says to them summed up once.

    Attributes:
        cohort: the tests of its own devices.
        usual: what it says of each feature.
        pool: its furthest days.
        lapses: what it says of silence, stuck values and lost days.
    """

    cohort: Judgement
    usual: tuple[predictive.Usual | None, ...]
    pool: Pool
    lapses: lapses.Usual

    @classmethod
    def of(cls, cohort: Judgement) -> Bench:
        """Sum up a cohort."""
        said = surprise.listen(cohort.learnt.leans.straighten(cohort.loose))
        return cls(cohort, said, farthest.usual_pool(cohort.learnt.far), lapses.usual(cohort.block.values))


def judge(bench: Bench, values: FloatArray) -> Judgement:
    """Test devices that are no members of a cohort.

    Args:
        bench: the cohort.
        values: float64 (days, devices), MB a day; NaN = no observation.

    Returns:
        Their tests as in ``judge.judge``, what is learnt being the cohort's; replays and copies, which the cohort
        cannot tell, are no surprise.
    """
    cohort, learnt = bench.cohort, bench.cohort.learnt
    fitting = cohort.scale.for_others(values)
    scaled = fitting.apply(values)
    common = shared.followed_by(scaled, cohort.common.said)
    block = block_of(values, scaled, fitting, common)
    own, memory = habits.without(block.residual, habits.weekdays(cohort.dates), learnt.habits)
    table = with_coupling(features.compute(block, own, cohort.dates, learnt.habits, memory), common)
    far = farthest.find(own)
    table = learnt.moderation.apply(with_far_days(table, fitting, farthest.probes_score(far, bench.pool)))
    loose = learnt.ties.loosen(table)
    above = above_middle(loose, cohort.loose)
    log_p = np.zeros(above.shape)
    probed = surprise.log_surprises_of(learnt.leans.straighten(loose), bench.usual, learnt.reading)
    log_p[: len(COMPARED)] = learnt.tails.apply(probed)
    log_p[len(COMPARED)] = log_surprise_combined(cohort, log_p, above)
    log_p[len(COMPARED) + 1 : -2] = lapses.log_surprises_of(values, bench.lapses)
    return Judgement(log_p, above, table, loose, fitting, common, block, cohort.dates, replace(learnt, far=far))


def among(cohort: Judgement, newcomers: Judgement, place: int) -> Judgement:
    """A newcomer in the last place of its cohort, of which it needs no more than a jury.

    Args:
        cohort: the tests of the cohort's devices.
        newcomers: the tests of devices that are no members.
        place: which of them.
    """
    jury, own = cohort.of(jury_of(cohort.log_p.shape[1], -1)), newcomers.of(np.array([place]))
    return Judgement(
        _both(jury.log_p, own.log_p),
        _both(jury.above, own.above),
        FeatureTable.of_all([jury.table, own.table]),
        FeatureTable.of_all([jury.loose, own.loose]),
        Scale(jury.scale.power, _both(jury.scale.units, own.scale.units)),
        Shared(**_each(jury.common, own.common), said=cohort.common.said),
        Block(**_each(jury.block, own.block)),
        jury.dates,
        replace(jury.learnt, far=Farthest(**_each(jury.learnt.far, own.learnt.far))),
    )


def _each(one: Any, other: Any) -> dict[str, Any]:
    """The arrays of two nouns, whose last axis is the devices, side by side; None where they have none."""
    parts = {part.name: getattr(one, part.name) for part in fields(one)}
    return {
        name: None if part is None else _both(part, getattr(other, name))
        for name, part in parts.items()
        if part is None or isinstance(part, np.ndarray)
    }


def _both(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.concatenate([one, other], axis=-1)
