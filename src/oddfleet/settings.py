"""What a user may choose, checked once when it is built."""

from __future__ import annotations

from dataclasses import dataclass

from oddfleet.errors import SettingsError

STORES = ("sqlite", "none")


@dataclass(frozen=True, slots=True)
class Trials:
    """How often a self-test tries, and from which seed it draws.

    Attributes:
        repeats: how often each fault is planted at each strength, at least 1.
        seed: the same seed gives the same self-test, at least 0.

    Raises:
        SettingsError: when a value is out of its range.

    >>> Trials().repeats
    5
    """

    repeats: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        if self.repeats < 1:
            raise SettingsError(f"repeats: must be at least 1, got {self.repeats}; leave it out to use 5")
        if self.seed < 0:
            raise SettingsError(f"seed: must be at least 0, got {self.seed}; leave it out to use 0")


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of one run.

    Attributes:
        alpha: the share of clean fleets that may raise any alarm, in (0, 0.5].
        cohorts: ``"auto"``, ``"none"`` (judge the fleet as one), or the name of a column of the
            meta file whose values say which devices are judged together.
        store: ``"sqlite"`` stores every row in the database; ``"none"`` leaves the rows where they are.
        trials: of the self-test that is added to the report; None where none is wanted.

    Raises:
        SettingsError: when a value is out of its range.

    >>> Settings().alpha
    0.01
    """

    alpha: float = 0.01
    cohorts: str = "auto"
    store: str = "sqlite"
    trials: Trials | None = None

    def __post_init__(self) -> None:
        if not 0 < self.alpha <= 0.5:
            raise SettingsError(
                f"alpha: the false-alarm rate must be above 0 and at most 0.5, got {self.alpha:g}; "
                "leave it out to use 0.01"
            )
        if not self.cohorts:
            raise SettingsError(
                "cohorts: must be 'auto', 'none' or a column of the meta file, got ''; leave it out to use 'auto'"
            )
        if self.store not in STORES:
            raise SettingsError(
                f"store: must be {' or '.join(map(repr, STORES))}, got {self.store!r}; leave it out to use 'sqlite'"
            )
