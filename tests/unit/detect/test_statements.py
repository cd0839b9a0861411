from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from oddfleet.detect import statements
from oddfleet.model import Kind

MARCH, APRIL = date(2020, 3, 1), date(2020, 4, 9)
ALL_YEAR = statements.Evidence(value=12.5, usual=4.25, since=None, until=None, days=366, test="")
STRETCH = statements.Evidence(value=40, usual=0, since=MARCH, until=APRIL, days=40, test="")
ONE_DAY = statements.Evidence(value=1, usual=2, since=MARCH, until=MARCH, days=1, test="")
CHANGE = statements.Evidence(value=12.5, usual=4.25, since=MARCH, until=None, days=306, test="")

GOLDEN = [
    (
        Kind.MISSING_DAYS,
        STRETCH,
        "No traffic is on record for 40 days between 2020-03-01 and 2020-04-09; usual here is none.",
    ),
    (Kind.MISSING_DAYS, ONE_DAY, "No traffic is on record for 1 day on 2020-03-01; usual here is 2."),
    (
        Kind.DUPLICATE_DAYS,
        STRETCH,
        "40 days between 2020-03-01 and 2020-04-09 stand in the record more than once; usual here is none.",
    ),
    (
        Kind.INVALID_VALUES,
        STRETCH,
        "40 days between 2020-03-01 and 2020-04-09 stand in the record without a usable number; usual here is none.",
    ),
    (
        Kind.INVALID_VALUES,
        ONE_DAY,
        "1 day on 2020-03-01 stands in the record without a usable number; usual here is 2.",
    ),
    (
        Kind.NEGATIVE_TRAFFIC,
        replace(STRETCH, detail=-3.25),
        "Traffic is negative on 40 days between 2020-03-01 and 2020-04-09, at the lowest -3.25 MB; usual here is none.",
    ),
    (
        Kind.INACTIVE,
        STRETCH,
        "Silent (zero traffic or none on record) for 40 days between 2020-03-01 and 2020-04-09; "
        "the longest silence usual here is 0 days.",
    ),
    (
        Kind.LEVEL,
        ALL_YEAR,
        "Carries more traffic than its cohort: 12.5 MB a day on average, usual is 4.25.",
    ),
    (
        Kind.LEVEL,
        replace(ALL_YEAR, value=1e-9, usual=1e15),
        "Carries less traffic than its cohort: 1e-09 MB a day on average, usual is 1,000,000,000,000,000.",
    ),
    (
        Kind.SPREAD,
        ALL_YEAR,
        "Varies more from day to day than its cohort: 12.5 MB away from its median on average, usual is 4.25.",
    ),
    (
        Kind.SHAPE,
        replace(ALL_YEAR, value=0.25, usual=0.125, test="kurtosis_l"),
        "Its values are distributed unlike those of its cohort: peaked, with heavier tails "
        "(L-kurtosis 0.250, usual is 0.125).",
    ),
    (
        Kind.SHAPE,
        replace(ALL_YEAR, value=-0.1, usual=0.125, test="spike_log"),
        "Its values are distributed unlike those of its cohort: flatter, or in two humps "
        "(L-kurtosis -0.100, usual is 0.125).",
    ),
    (
        Kind.SHAPE,
        replace(ALL_YEAR, value=0.3, usual=0.0, test="skewness_l"),
        "Its values are distributed unlike those of its cohort: with a longer tail upwards than theirs "
        "(L-skewness 0.300, usual is 0.000).",
    ),
    (
        Kind.SHAPE,
        replace(ALL_YEAR, value=-0.3, usual=0.0, test="skewness_l"),
        "Its values are distributed unlike those of its cohort: with a longer tail downwards than theirs "
        "(L-skewness -0.300, usual is 0.000).",
    ),
    (
        Kind.ROUNDED,
        replace(ALL_YEAR, value=7, usual=366),
        "Takes only 7 distinct values in 366 days; usual is 366.",
    ),
    (
        Kind.ROUNDED,
        replace(ALL_YEAR, value=366, usual=7),
        "Takes 366 distinct values in 366 days; usual is only 7.",
    ),
    (
        Kind.WEEKLY_RHYTHM,
        replace(ALL_YEAR, value=0.46, usual=0.016),
        "The days of the week explain 46% of its variation; usual is 2%.",
    ),
    (
        Kind.CYCLE,
        replace(ALL_YEAR, value=0.46, usual=0.03, detail=17.02),
        "Its strongest cycle, of 17.0 days, holds 46% of its variation; that of a usual device holds 3%.",
    ),
    (
        Kind.DETACHED,
        replace(ALL_YEAR, value=-0.0004, usual=1.0),
        "Follows the days that its cohort shares less than is usual: its coupling to them is 0.00 times the usual one.",
    ),
    (
        Kind.DETACHED,
        replace(ALL_YEAR, value=1.81, usual=1.0),
        "Follows the days that its cohort shares more than is usual: its coupling to them is 1.81 times the usual one.",
    ),
    (
        Kind.LEVEL_SHIFT,
        CHANGE,
        "Since 2020-03-01 it carries 12.5 MB a day more than before; the largest step of a usual device is 4.25.",
    ),
    (
        Kind.LEVEL_SHIFT,
        replace(CHANGE, value=-12.5),
        "Since 2020-03-01 it carries 12.5 MB a day less than before; the largest step of a usual device is 4.25.",
    ),
    (
        Kind.DRIFT,
        ALL_YEAR,
        "Its traffic grows steadily, by 12.5 MB a day from the first day to the last; usual is 4.25.",
    ),
    (
        Kind.DRIFT,
        replace(ALL_YEAR, value=-12.5),
        "Its traffic falls steadily, by 12.5 MB a day from the first day to the last; usual is 4.25.",
    ),
    (
        Kind.DRIFT,
        CHANGE,
        "Its traffic grows steadily since 2020-03-01, by 12.5 MB a day from the first day to the last; usual is 4.25.",
    ),
    (
        Kind.WANDER,
        replace(ALL_YEAR, value=0.85, usual=0.01),
        "Each day resembles the day before more than is usual: correlation 0.85, usual is 0.01.",
    ),
    (
        Kind.WANDER,
        replace(ALL_YEAR, value=-0.75, usual=0.01),
        "Each day resembles the day before less than is usual: correlation -0.75, usual is 0.01.",
    ),
    (
        Kind.VOLATILITY_CHANGE,
        replace(CHANGE, value=3.04, usual=1.06),
        "Since 2020-03-01 its daily variation is 3 times what it was; for a usual device it stays at 1.1 times.",
    ),
    (
        Kind.SPIKES,
        replace(STRETCH, value=66.5, usual=15.25, days=3),
        "3 days between 2020-03-01 and 2020-04-09 stand out, up to 66.5 MB away from its median; "
        "a usual device strays up to 15.25 MB.",
    ),
    (
        Kind.SPIKES,
        replace(ONE_DAY, value=66.5, usual=15.25),
        "1 day on 2020-03-01 stands out, up to 66.5 MB away from its median; a usual device strays up to 15.25 MB.",
    ),
    (
        Kind.FROZEN,
        replace(STRETCH, usual=1, detail=96.125),
        "Reports the same value, 96.12 MB, for 40 days in a row between 2020-03-01 and 2020-04-09; "
        "the longest such stretch usual here is 1 day.",
    ),
    (
        Kind.REPLAYED,
        STRETCH,
        "Its traffic between 2020-03-01 and 2020-04-09 repeats an earlier stretch of its own, value for value, for "
        "40 days; no usual device repeats itself so.",
    ),
    (
        Kind.COPIED,
        replace(ALL_YEAR, detail=0.0, source="attic_lamp (4)"),
        "Its traffic in all of the record is that of device attic_lamp (4), value for value, for 366 days; usual "
        "devices have none in common.",
    ),
    (
        Kind.COPIED,
        replace(STRETCH, detail=1.0, source="4"),
        "Its traffic between 2020-03-01 and 2020-04-09 is that of device 4, value for value, for 40 days, "
        "1 day later; usual devices have none in common.",
    ),
    (
        Kind.COPIED,
        replace(STRETCH, detail=-30.0, source="4"),
        "Its traffic between 2020-03-01 and 2020-04-09 is that of device 4, value for value, for 40 days, "
        "30 days earlier; usual devices have none in common.",
    ),
    (
        Kind.MIXTURE,
        replace(ALL_YEAR, value=7, usual=1),
        "No one thing is odd about it, but many are unusual at once: 7 features lie in the outer tenth of its cohort, "
        "1 of a usual device.",
    ),
]

HARD_TO_SAY = [
    pytest.param(kind, evidence, text, id=reason)
    for kind, evidence, text, reason in [
        (
            Kind.DUPLICATE_DAYS,
            ONE_DAY,
            "1 day on 2020-03-01 stands in the record more than once; usual here is 2.",
            "1 day stand",
        ),
        (
            Kind.LEVEL,
            replace(ALL_YEAR, value=60_018.76, usual=29_968.5),
            "Carries more traffic than its cohort: 60,019 MB a day on average, usual is 29,968.",
            "6.002e+04 MB",
        ),
        (
            Kind.WANDER,
            replace(ALL_YEAR, value=0.853, usual=-0.0004),
            "Each day resembles the day before more than is usual: correlation 0.85, usual is 0.00.",
            "usual is -0.00",
        ),
        (
            Kind.INACTIVE,
            replace(STRETCH, usual=float("nan")),
            "Silent (zero traffic or none on record) for 40 days between 2020-03-01 and 2020-04-09; the longest "
            "silence usual here is not known, for no other device can be compared.",
            "a device without others to compare with",
        ),
    ]
]


@pytest.mark.parametrize(("kind", "evidence", "text"), [*GOLDEN, *HARD_TO_SAY])
def test_sentences(kind: Kind, evidence: statements.Evidence, text: str) -> None:
    assert statements.sentence(kind, evidence) == text


def test_every_kind_that_is_found_has_a_golden_sentence() -> None:
    assert {kind for kind, _, _ in GOLDEN} == set(Kind)


@pytest.mark.parametrize("kind", Kind)
def test_rivals_and_next_check(kind: Kind) -> None:
    rivals, check = statements.rivals(kind), statements.next_check(kind)
    assert len(set(rivals)) == len(rivals) >= 2
    assert all(rival[0].islower() and not rival.endswith(".") for rival in rivals)
    assert check[0].isupper()
    assert check.endswith(".")
