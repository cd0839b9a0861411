"""Look for bytes that break a reader: python -m tests.fuzz.fuzz folder|table|meta [options of libFuzzer].

What is found to be new goes to ``tests/fuzz/corpus``; what breaks is written to the working directory by libFuzzer.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    import atheris  # noqa: PLC0415 - only this needs it, and it must be there before what it looks into

    with atheris.instrument_imports(include=["oddfleet.ingest"]):
        from tests.fuzz.readers import READERS  # noqa: PLC0415

    name, *options = sys.argv[1:]
    corpus = Path(__file__).parent / "corpus" / name
    atheris.Setup([sys.argv[0], *options, str(corpus)], READERS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
