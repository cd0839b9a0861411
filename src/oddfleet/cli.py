"""The command line: arguments to the pipeline, its result to print, and an exit code."""

from __future__ import annotations

import importlib.metadata
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from oddfleet import pipeline, report
from oddfleet.errors import OddfleetError
from oddfleet.model import SelfTest
from oddfleet.settings import Settings, Trials

EXIT_ERROR, EXIT_ODD, EXIT_CANCELLED = 1, 3, 130

app = typer.Typer(
    help="Which devices of a fleet behave oddly, why, and since when.",
    epilog="First steps: 'oddfleet demo', then 'oddfleet run FOLDER' on your own data.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_Data = Annotated[Path, typer.Argument(metavar="DATA", help="Folder of iot_<id>.csv files, or one table.")]
_Out = Annotated[Path, typer.Option("--out", help="Folder for the results.", metavar="DIR")]
_Alpha = Annotated[float, typer.Option("--alpha", help="Share of healthy fleets that may raise any alarm.")]
_Cohorts = Annotated[
    str, typer.Option("--cohorts", help="Judge together: 'auto', 'none', or by a column of the meta file.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print findings.json on stdout, errors included.")]
_Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
_Fail = Annotated[bool, typer.Option("--fail-on-odd", help="Exit with 3 when a device is odd.")]
_Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]

_Result = TypeVar("_Result")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"oddfleet {importlib.metadata.version('oddfleet')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Which devices of a fleet behave oddly, why, and since when."""


@app.command(
    epilog="Examples: 'oddfleet run data'; 'oddfleet run data --out monday --fail-on-odd'; "
    "'oddfleet run traffic.parquet --json --quiet > findings.json'."
)
def run(
    data: _Data,
    out: _Out = Path(),
    alpha: _Alpha = 0.01,
    cohorts: _Cohorts = "auto",
    json: _Json = False,
    quiet: _Quiet = False,
    fail_on_odd: _Fail = False,
    debug: _Debug = False,
) -> None:
    """Judge a fleet: store its traffic, find the odd devices, explain and draw them.

    Writes my_sqlite.db, oddities.json, findings.json, plots/ and report.html to --out.
    """

    def work(progress: pipeline.Progress) -> pipeline.Run:
        return pipeline.run(data, out, Settings(alpha=alpha, cohorts=cohorts), progress)

    _judge(work, json=json, quiet=quiet, fail_on_odd=fail_on_odd, debug=debug)


@app.command(epilog="Example: 'oddfleet demo --out demo', then open demo/report.html.")
def demo(
    out: _Out = Path("oddfleet-demo"),
    alpha: _Alpha = 0.01,
    json: _Json = False,
    quiet: _Quiet = False,
    fail_on_odd: _Fail = False,
    debug: _Debug = False,
) -> None:
    """Judge a sample fleet made on the spot: 60 devices, 6 of them odd.

    The sample is written to DIR/sample, the results to DIR.
    """

    def work(progress: pipeline.Progress) -> pipeline.Run:
        return pipeline.demo(out, Settings(alpha=alpha), progress)

    _judge(work, json=json, quiet=quiet, fail_on_odd=fail_on_odd, debug=debug)


@app.command(epilog="Examples: 'oddfleet selftest data'; 'oddfleet selftest traffic.parquet --json > selftest.json'.")
def selftest(
    data: _Data,
    repeats: Annotated[int, typer.Option("--repeats", help="How often to plant each fault at each strength.")] = 5,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same answer.")] = 0,
    alpha: _Alpha = 0.01,
    cohorts: _Cohorts = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print a document on stdout, errors included.")] = False,
    quiet: _Quiet = False,
    debug: _Debug = False,
) -> None:
    """Say what would be found: plant known faults in copies of a fleet, from barely to blatantly visible.

    Prints, kind by kind, the share found at each strength (1 = blatant, 0.5 = subtle), from which strength on half are
    found, and how many are named and dated rightly. Writes no files.
    """

    def work(progress: pipeline.Progress) -> SelfTest:
        return pipeline.selftest_data(
            data, Settings(alpha=alpha, cohorts=cohorts), Trials(repeats=repeats, seed=seed), progress
        )

    done = _done(work, json=json, quiet=quiet, debug=debug, cancelled="cancelled; nothing was written")
    if json:
        sys.stdout.write(report.selftest_json(done))
    elif not quiet:
        report.print_selftest(done, Console())


def main() -> None:
    """Entry point of the command ``oddfleet``."""
    # A nightly job that is told to stop cleans up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app(prog_name="oddfleet")


def _judge(
    work: Callable[[pipeline.Progress], pipeline.Run], *, json: bool, quiet: bool, fail_on_odd: bool, debug: bool
) -> None:
    """Run, print, and leave with the exit code."""
    cancelled = "cancelled; the results of the last complete run are untouched"
    done = _done(work, json=json, quiet=quiet, debug=debug, cancelled=cancelled)
    if json:
        sys.stdout.write(done.findings_json)
    elif not quiet:
        report.print_summary(done.result, done.fleet, done.answers, done.health, done.outputs, Console())
    if fail_on_odd and done.result.ids:
        raise typer.Exit(EXIT_ODD)


def _done(
    work: Callable[[pipeline.Progress], _Result], *, json: bool, quiet: bool, debug: bool, cancelled: str
) -> _Result:
    """The result of the work, its progress shown; an error is said, and leaves with its exit code."""
    try:
        with report.Progress(quiet=quiet or json) as progress:
            return work(progress)
    except OddfleetError as error:
        if debug:
            traceback.print_exc()
        _say_error(str(error), json=json)
        raise typer.Exit(EXIT_ERROR) from error
    except KeyboardInterrupt as error:
        _say_error(cancelled, json=json)
        raise typer.Exit(EXIT_CANCELLED) from error


def _say_error(message: str, *, json: bool) -> None:
    if json:
        sys.stdout.write(report.error_json(message))
    else:
        typer.echo(f"oddfleet: {report.visible(message)}", err=True)
