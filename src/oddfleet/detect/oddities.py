"""The whole way from a fleet to the decision: repeats, cohorts, tests, decision, diagnosis."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from oddfleet.detect import decide, diagnose, findings, promises
from oddfleet.detect.features import COMPARED
from oddfleet.detect.freed import keep_freed_memory
from oddfleet.detect.gather import Gathered, Step, gather, judgements, tests
from oddfleet.detect.patient import patient
from oddfleet.detect.runs import FEWEST_DEVICES
from oddfleet.model import AnyFleet, BoolArray, DeviceId, Finding, FloatArray, IntArray, Kind, Oddities, id_order
from oddfleet.settings import Settings

DECISIVE = (Kind.NEGATIVE_TRAFFIC, Kind.INVALID_VALUES, Kind.DUPLICATE_DAYS)
"""Promises that one day breaks. Lost days are counted, for any collector loses some."""
MOST_SIZES = 20
"""Cohorts whose sizes a note tells."""
MOST_TOLD = 20_000
"""So many broken promises of devices that are not odd are told one by one: more nobody reads."""

_Among = dict[tuple[DeviceId, Kind], FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class _Verdict:
    """What is known of a fleet when it is decided (arrays (devices,)).

    Attributes:
        known: what was gathered.
        breaks: True where a promise is broken that the fleet keeps.
        log_p: log p-value of every device.
        named: True where that is small enough.
    """

    known: Gathered
    breaks: BoolArray
    log_p: FloatArray
    named: BoolArray

    @property
    def odd(self) -> BoolArray:
        """The decision: odd for either."""
        return self.breaks | self.named


def find_oddities(
    fleet: AnyFleet, settings: Settings, step: Step | None = None, explaining: Step | None = None
) -> Oddities:
    """Find the devices that behave oddly, and say why and since when.

    Args:
        fleet: the fleet; not changed.
        settings: the false-alarm rate and which devices are judged together.
        step: told (devices judged, in all) as cohorts, or blocks of a large fleet, are done.
        explaining: told (odd devices explained, in all).

    Returns:
        The decision; no device odd is a proper one.

    Raises:
        SettingsError: when the cohorts are to come from a column that the meta file has not.
    """
    keep_freed_memory()
    # Sums of numbers beyond all measure overflow: what cannot be told of them is NaN, and no warning is needed.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _judged(fleet, settings, step or _silent, explaining or _silent)


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


def _judged(fleet: AnyFleet, settings: Settings, step: Step, explaining: Step) -> Oddities:
    verdict = _decide(gather(fleet, settings, step), settings)
    said, among = _findings(fleet, verdict, settings.alpha, explaining)
    ids, breaks, log_p = fleet.device_ids, verdict.breaks, verdict.log_p
    order = sorted(
        {*said, *np.flatnonzero(verdict.odd).tolist()}, key=lambda d: (not breaks[d], log_p[d], id_order(ids[d]))
    )
    ranked = [device for device in order if verdict.odd[device]]
    rest = [finding for device in order if not verdict.odd[device] for finding in said[device]]
    return Oddities(
        ids=[ids[device] for device in ranked],
        findings=(*(finding for device in ranked for finding in said[device]), *rest[:MOST_TOLD]),
        table=_table(fleet, verdict),
        alpha=settings.alpha,
        notes=(*_notes(fleet.n_devices, verdict.known), *_untold(len(rest) - MOST_TOLD)),
        among=among,
        days=verdict.known.days,
    )


def _decide(known: Gathered, settings: Settings) -> _Verdict:
    log_p = decide.of_most_surprising(known.log_p, len(tests(len(known.log_p))))
    breaks = np.any([promises.breakers(known.broken[kind].counts) for kind in DECISIVE], axis=0)
    return _Verdict(known, breaks, log_p, decide.discoveries(log_p, settings.alpha))


def _findings(
    fleet: AnyFleet, verdict: _Verdict, alpha: float, explaining: Step
) -> tuple[dict[int, list[Finding]], _Among]:
    """The findings about devices, by their places: broken promises of all, symptoms of the odd ones.

    With what those about odd devices are to be compared with.
    """
    said: dict[int, list[Finding]] = defaultdict(list)
    among: _Among = {}
    known = verdict.known
    for kind in DECISIVE:
        for device in np.flatnonzero(known.broken[kind].counts).tolist():
            said[device].append(findings.of_promise(fleet, device, known.broken[kind]))
    lost = known.broken[Kind.MISSING_DAYS]
    measured: dict[int, dict[str, tuple[FloatArray, IntArray]]] = defaultdict(dict)
    odd = np.flatnonzero(verdict.odd)
    for done, (judgement, place, device) in enumerate(judgements(fleet, known, odd)):
        explaining(done, len(odd))
        who = patient(judgement, place, device, known.repeated, alpha)
        who = who.named if verdict.named[device] else who
        cohort = findings.Cohort(fleet, device, who, known.repeated[1], measured[int(known.group[device])])
        for symptom in diagnose.symptoms(who):
            if symptom.kind is not Kind.MISSING_DAYS:
                said[device].append(findings.of_symptom(cohort, symptom))
                among.setdefault((fleet.device_ids[device], symptom.kind), findings.quantiles(cohort, symptom))
            elif lost.counts[device]:
                # Told as the broken promise that it is.
                said[device].append(findings.of_promise(fleet, device, lost))
    explaining(len(odd), len(odd))
    for device in np.flatnonzero(lost.counts).tolist():
        if all(finding.kind is not Kind.MISSING_DAYS for finding in said[device]):
            said[device].append(findings.of_promise(fleet, device, lost))
    for device in odd.tolist():
        kinds = (finding.kind for finding in said[device] if finding.p_value is None)
        among |= {(fleet.device_ids[device], kind): known.broken[kind].quantiles(device) for kind in kinds}
    return said, among


def _table(fleet: AnyFleet, verdict: _Verdict) -> dict[str, Any]:
    """One column a name, one entry a device."""
    known = verdict.known
    labels = [group.label for group in known.groups]
    return {
        "id": list(fleet.device_ids),
        "name": list(fleet.names),
        "cohort": [labels[number] for number in known.group.tolist()],
        "p_value": np.exp(np.where(verdict.breaks, -np.inf, verdict.log_p)),
        "odd": verdict.odd,
        "silent_days": known.silent,
        **dict(zip(COMPARED, known.features, strict=True)),
    }


def _untold(more: int) -> tuple[str, ...]:
    if more <= 0:
        return ()
    return (f"{more:,} more broken promises of devices that are not odd are not told one by one.",)


def _notes(devices: int, known: Gathered) -> tuple[str, ...]:
    if devices < FEWEST_DEVICES:
        return (
            f"A fleet of {devices} cannot say what is usual: only the promises (active, not negative, every "
            f"day told once) were checked; {FEWEST_DEVICES} devices or more can be compared.",
        )
    if len(known.groups) == 1:
        return ()
    sizes = sorted(np.bincount(known.group, minlength=len(known.groups)).tolist(), reverse=True)
    more = f" and {len(sizes) - MOST_SIZES:,} smaller" if len(sizes) > MOST_SIZES else ""
    told = ", ".join(map(str, sizes[:MOST_SIZES]))
    said = f"{len(sizes):,} cohorts were judged each by itself, of {told}{more} devices."
    lonely = sum(size for size in sizes if size < FEWEST_DEVICES)
    alone = f" {lonely} of these devices have too few like them to be compared." if lonely else ""
    return (said + alone,)
