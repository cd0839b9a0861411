"""What several kinds of test share: where the real data is, if it is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says more of the machine, and of who else is at work on it, than of the code.
settings.register_profile("whatever the machine", deadline=None)
settings.load_profile("whatever the machine")

REAL_DATA = Path(__file__).parents[2] / "shared" / "data" / "iot-2020" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the exercise's real data; the test is skipped, visibly, where it is not there."""
    if not REAL_DATA.is_dir():
        pytest.skip("the real data (../shared/data/iot-2020/data) is not here")
    return REAL_DATA
