"""What can go wrong in a way a user can mend: each error is one line saying where, what and the remedy."""

from __future__ import annotations


class OddfleetError(Exception):
    """Base of every error the user can mend; ``str(error)`` is the one line to show."""


class InputError(OddfleetError):
    """The data cannot be used: missing, unreadable, or holding no device."""


class SettingsError(OddfleetError):
    """A setting has a value that makes no sense."""


class OutputError(OddfleetError):
    """A result cannot be written where it was asked to be."""
