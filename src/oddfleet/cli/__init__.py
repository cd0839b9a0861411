"""The command line: arguments to the pipeline, its result to print, and an exit code."""

# A command has as many parameters as it has options.

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

from oddfleet.cli.telling import EXIT_CANCELLED, EXIT_ODD, UNTOUCHED, asks_for_json, rendered, result_of, send, told
from oddfleet.settings import Settings, Trials

if TYPE_CHECKING:
    # What takes most of a second to import is imported where it is needed, and where Ctrl-C is heard.
    from rich.console import Console

    from oddfleet import pipeline
    from oddfleet.model import Compaction, Explanation, SelfTest

try:
    import typer

    from oddfleet.cli.completing import ids_of_odd
    from oddfleet.cli.usage import Group
except KeyboardInterrupt:  # pragma: no cover - most of the time before main() listens goes by here
    sys.stderr.write(f"oddfleet: {UNTOUCHED}\n")
    raise SystemExit(EXIT_CANCELLED) from None

app = typer.Typer(
    cls=Group,
    help="Which devices of a fleet behave oddly, why, and since when.",
    epilog="First steps: 'oddfleet demo', then 'oddfleet run FOLDER' on your own data.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

# Whether it can be read is told by who reads it, in our words.
_Data = Annotated[
    Path, typer.Argument(metavar="DATA", readable=False, help="Folder (or zip) of iot_<id>.csv files, or one table.")
]
_Out = Annotated[Path, typer.Option("--out", help="Folder for the results.", metavar="DIR")]
_Alpha = Annotated[float, typer.Option("--alpha", help="Share of healthy fleets that may raise any alarm.")]
_Cohorts = Annotated[str, typer.Option("--cohorts", help="Judge together: 'auto', 'none' or by a column of meta.")]
_Store = Annotated[str, typer.Option("--store", help="Where rows go: 'sqlite', or 'none' to leave them in DATA.")]
_Json = Annotated[bool, typer.Option("--json", help="Print findings.json on stdout, errors included.")]
_Document = Annotated[bool, typer.Option("--json", help="Print a document on stdout, errors included.")]
_Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
_Fail = Annotated[bool, typer.Option("--fail-on-odd", help="Exit with 3 when a device is odd.")]
_Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def _version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata  # noqa: PLC0415

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
    "'oddfleet run data --selftest'; 'oddfleet run traffic.parquet --json --quiet > findings.json'."
)
def run(
    data: _Data,
    out: _Out = Path(),
    alpha: _Alpha = 0.01,
    cohorts: _Cohorts = "auto",
    store: _Store = "sqlite",
    selftest: Annotated[bool, typer.Option("--selftest", help="Add to the report what would be found.")] = False,
    json: _Json = False,
    quiet: _Quiet = False,
    fail_on_odd: _Fail = False,
    debug: _Debug = False,
) -> None:
    """Judge a fleet: store its traffic, find the odd devices, explain and draw them.

    Writes my_sqlite.db, oddities.json, findings.json, plots/ and report.html to --out.
    """

    def work(progress: pipeline.Progress) -> pipeline.Run:
        from oddfleet import pipeline  # noqa: PLC0415

        trials = Trials() if selftest else None
        settings = Settings(alpha=alpha, cohorts=cohorts, store=store, trials=trials)
        return pipeline.run(data, out, settings, progress)

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
        from oddfleet import pipeline  # noqa: PLC0415

        return pipeline.demo(out, Settings(alpha=alpha), progress)

    _judge(work, json=json, quiet=quiet, fail_on_odd=fail_on_odd, debug=debug)


@app.command(
    epilog="Examples: 'oddfleet selftest data'; 'oddfleet selftest data --out results', then open results/report.html; "
    "'oddfleet selftest traffic.parquet --json > selftest.json'."
)
def selftest(
    data: _Data,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Judge the fleet too, with the curves in its report.")
    ] = None,
    repeats: Annotated[int, typer.Option("--repeats", help="How often to plant each fault at each strength.")] = 5,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same answer.")] = 0,
    alpha: _Alpha = 0.01,
    cohorts: _Cohorts = "auto",
    json: _Document = False,
    quiet: _Quiet = False,
    debug: _Debug = False,
) -> None:
    """Say what would be found: plant known faults in copies of a fleet, from barely to blatantly visible.

    Prints, kind by kind, the share found at each strength (1 = blatant, 0.5 = subtle), from which strength on half are
    found, and how many are named and dated rightly. Writes no files, or with --out the results of a run, these curves
    in its report.
    """

    def work(progress: pipeline.Progress) -> SelfTest:
        from oddfleet import pipeline  # noqa: PLC0415

        trials = Trials(repeats=repeats, seed=seed)
        if out is None:
            return pipeline.selftest_data(data, Settings(alpha=alpha, cohorts=cohorts), trials, progress)
        run = pipeline.run(data, out, Settings(alpha=alpha, cohorts=cohorts, trials=trials), progress)
        return cast("SelfTest", run.selftest)  # there is one where trials are asked for

    def shown(console: Console) -> None:
        from oddfleet import report  # noqa: PLC0415

        report.print_selftest(done, console)

    cancelled = UNTOUCHED if out else "cancelled; nothing was written"
    done = result_of(work, json=json, quiet=quiet, debug=debug, cancelled=cancelled)
    with told(debug=debug):
        if json:
            from oddfleet import report  # noqa: PLC0415

            send(report.selftest_json(done))
        elif not quiet:
            send(rendered(shown))


@app.command(epilog="Example: 'oddfleet compact data fleet.parquet', then 'oddfleet run fleet.parquet'.")
def compact(
    data: _Data,
    file: Annotated[Path, typer.Argument(metavar="FILE", readable=False, help="The Parquet file to write.")],
    json: _Document = False,
    quiet: _Quiet = False,
    debug: _Debug = False,
) -> None:
    """Write a fleet to one Parquet file: every row, name and device, to be read again as the same fleet.

    What cannot be used goes to NAME.rejected.csv beside NAME.parquet, each line with its reason.
    """

    def work(progress: pipeline.Progress) -> Compaction:
        from oddfleet import pipeline  # noqa: PLC0415

        return pipeline.compact(data, file, progress)

    done = result_of(work, json=json, quiet=quiet, debug=debug, cancelled="cancelled; nothing was written")
    with told(debug=debug):
        from rich.console import Console  # noqa: PLC0415

        from oddfleet import report  # noqa: PLC0415

        if json:
            send(report.compaction_json(done))
        elif not quiet:
            report.print_compaction(done, Console(stderr=True))


@app.command(epilog="Examples: 'oddfleet explain results 4399'; 'oddfleet explain results attic_pump --json'.")
def explain(
    folder: Annotated[Path, typer.Argument(metavar="DIR", readable=False, help="The folder of a run, its --out.")],
    device: Annotated[
        str, typer.Argument(metavar="ID", autocompletion=ids_of_odd, help="Id of a device, or a name only it has.")
    ],
    json: _Document = False,
    debug: _Debug = False,
) -> None:
    """Print one device's card: the verdict on it, its series, and each finding with its numbers and what to check.

    Reads what 'oddfleet run' left in DIR and writes no files.
    """

    def work(progress: pipeline.Progress) -> Explanation:
        from oddfleet import pipeline  # noqa: PLC0415

        return pipeline.explain(folder, device, progress)

    def shown(console: Console) -> None:
        from oddfleet import report  # noqa: PLC0415

        report.print_explanation(done, console)

    done = result_of(work, json=json, quiet=False, debug=debug, cancelled="cancelled; nothing was written")
    with told(debug=debug):
        if json:
            from oddfleet import report  # noqa: PLC0415

            send(report.explanation_json(done))
        else:
            send(rendered(shown))


def main() -> None:
    """Entry point of the command ``oddfleet``."""
    # A nightly job that is told to stop cleans up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A collection looks at all that was imported and finds next to nothing: few of them, and none at the end.
    gc.set_threshold(100_000, 50, 50)
    atexit.register(gc.freeze)
    # The matrices are multiplied in a moment; threads that wait for that keep the second processor from what stores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with told(json=asks_for_json(sys.argv[1:]), debug="--debug" in sys.argv):
        try:
            app(prog_name="oddfleet")
        except SystemExit as left:
            # Typer leaves without a word when Ctrl-C comes while it reads the options.
            if left.code == EXIT_CANCELLED and isinstance(left.__context__, typer.Exit):
                raise KeyboardInterrupt from left
            raise


def _judge(
    work: Callable[[pipeline.Progress], pipeline.Run], *, json: bool, quiet: bool, fail_on_odd: bool, debug: bool
) -> None:
    """Run, print, and leave with the exit code."""

    def shown(console: Console) -> None:
        from oddfleet import report  # noqa: PLC0415

        report.print_summary(done.result, done.shown, done.answers, done.health, done.outputs, console)

    done = result_of(work, json=json, quiet=quiet, debug=debug, cancelled=UNTOUCHED)
    with told(debug=debug):
        if json:
            send(done.findings_json)
        elif not quiet:
            send(rendered(shown))
    if fail_on_odd and done.result.ids:
        raise typer.Exit(EXIT_ODD)
