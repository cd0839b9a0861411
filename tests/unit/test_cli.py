"""Arguments in, exit codes and streams out."""

from __future__ import annotations

import importlib.metadata
import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from oddfleet import Kind, OutputError, cli, plant, report


@pytest.fixture(scope="module")
def sick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sick")
    plant.write_folder(plant.with_fault(plant.steady_fleet(6, 40, seed=5), 2, Kind.INACTIVE, seed=1), folder)
    return folder


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("healthy")
    plant.write_folder(plant.steady_fleet(6, 40, seed=5), folder)
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has a folder of its own to litter."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments], prog_name="oddfleet")
    return result.exit_code, result.stdout, result.stderr


def raising(error: BaseException) -> Any:
    def work(*_: Any) -> None:
        raise error

    return work


def test_done(sick: Path) -> None:
    code, out, err = call("run", sick)
    assert (code, err) == (0, "")
    assert "1 of 6 devices is odd" in out
    assert json.loads(Path("oddities.json").read_text(encoding="utf-8"))[0]["id"] == 2


def test_the_folder_for_the_results_is_made(sick: Path) -> None:
    assert call("run", sick, "--out", "a/b c/d")[0] == 0
    assert (Path("a") / "b c" / "d" / "report.html").is_file()
    assert list(Path().iterdir()) == [Path("a")]


def test_a_line_that_is_an_error() -> None:
    code, out, err = call("run", "nowhere")
    assert (code, out) == (1, "")
    assert err.startswith("oddfleet: nowhere: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "data", "--nonsense"],
        ["run", "data", "--alpha", "much"],
        ["nonsense"],
        ["demo", "surplus"],
        ["selftest"],
        ["selftest", "data", "--repeats", "few"],
        ["compact", "data"],
        ["explain"],
        ["explain", "out"],
        ["explain", "out", "1", "surplus"],
        [],
    ],
    ids=" ".join,
)
def test_usage(arguments: list[str]) -> None:
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert "Usage: oddfleet" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "place", "said"),
    [
        (["run", "--json"], "oddfleet run", "'DATA'"),
        (["--json", "run", "data"], "oddfleet", "--json"),
        (["--json"], "oddfleet", "--json"),
        (["run", "data", "--json", "--nonsense"], "oddfleet run", "--nonsense"),
        (["run", "data", "--json", "--alpha", "much"], "oddfleet run", "'--alpha'"),
        (["nonsense", "--json"], "oddfleet", "'nonsense'"),
        (["demo", "--json", "surplus"], "oddfleet demo", "surplus"),
        (["selftest", "data", "--json", "--repeats", "few"], "oddfleet selftest", "'--repeats'"),
        (["compact", "data", "--json"], "oddfleet compact", "'FILE'"),
        (["explain", "out", "--json"], "oddfleet explain", "'ID'"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_json_of_a_usage_error(arguments: list[str], place: str, said: str) -> None:
    code, out, err = call(*arguments)
    assert (code, err) == (2, "")
    document = json.loads(out)
    assert list(document) == ["schema", "error"]
    assert document["schema"] == 1
    assert document["error"].startswith(f"{place}: ")
    assert said in document["error"]
    assert document["error"].endswith(f"; see '{place} --help'")
    assert "\n" not in document["error"]


def test_what_follows_two_dashes_is_no_option() -> None:
    code, out, err = call("run", "--", "data", "--json")
    assert (code, out) == (2, "")
    assert "Usage: oddfleet" in err


@pytest.mark.parametrize("asked", [["run", "--help"], ["explain", "-h"]], ids=" ".join)
def test_json_changes_nothing_about_help(asked: list[str]) -> None:
    assert call(*asked, "--json")[:2] == call(*asked)[:2]


@pytest.mark.parametrize(("alpha", "code"), [("0.5", 0), ("0.51", 1), ("0", 1), ("-1", 1), ("nan", 1), ("1e-9", 0)])
def test_alpha(healthy: Path, alpha: str, code: int) -> None:
    found, _, err = call("run", healthy, "--alpha", alpha, "--quiet")
    assert found == code
    assert err.startswith("oddfleet: alpha: ") == bool(code)


@pytest.mark.parametrize(("fleet", "code"), [("sick", 3), ("healthy", 0)])
@pytest.mark.parametrize("style", [[], ["--json"], ["--quiet"]], ids=["plain", "json", "quiet"])
def test_fail_on_odd(request: pytest.FixtureRequest, fleet: str, code: int, style: list[str]) -> None:
    found, _, err = call("run", request.getfixturevalue(fleet), "--fail-on-odd", *style)
    assert (found, err) == (code, "")
    assert Path("oddities.json").is_file()


@pytest.mark.parametrize("style", [[], ["--quiet"], ["--json"], ["--debug"]], ids=["plain", "quiet", "json", "debug"])
def test_cancelled(monkeypatch: pytest.MonkeyPatch, style: list[str]) -> None:
    monkeypatch.setattr("oddfleet.pipeline.run", raising(KeyboardInterrupt()))
    code, out, err = call("run", "data", *style)
    assert code == 130
    said = json.loads(out)["error"] if style == ["--json"] else err.removeprefix("oddfleet: ").rstrip("\n")
    assert said == "cancelled; the results of the last complete run are untouched"
    assert (err if style == ["--json"] else out) == ""


@pytest.mark.parametrize("quiet", [[], ["--quiet"]], ids=["", "quiet"])
def test_json_is_one_document_and_nothing_else(sick: Path, quiet: list[str]) -> None:
    code, out, err = call("run", sick, "--json", *quiet)
    assert (code, err) == (0, "")
    assert out == Path("findings.json").read_text(encoding="utf-8")
    assert json.loads(out)["schema"] == 1
    assert json.loads(out)["odd"] == [2]


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "nowhere"],
        ["run", "nowhere", "--quiet"],
        ["run", ".", "--alpha", "7"],
        ["run", "."],
        ["demo", "--alpha", "0"],
        ["selftest", "nowhere"],
        ["selftest", ".", "--alpha", "7"],
        ["selftest", ".", "--repeats", "0"],
        ["selftest", ".", "--seed", "-1", "--quiet"],
        ["compact", "nowhere", "x.parquet"],
        ["compact", ".", "x.csv", "--quiet"],
        ["explain", "nowhere", "1"],
        ["explain", ".", "1"],
    ],
    ids=" ".join,
)
def test_json_of_an_error(arguments: list[str]) -> None:
    code, out, err = call(*arguments, "--json")
    assert (code, err) == (1, "")
    document = json.loads(out)
    assert list(document) == ["schema", "error"]
    assert document["schema"] == 1
    assert "\n" not in document["error"]


def test_json_of_an_error_with_its_traceback() -> None:
    code, out, err = call("run", "nowhere", "--json", "--debug")
    assert code == 1
    assert json.loads(out)["schema"] == 1
    assert err.startswith("Traceback (most recent call last):")


def test_quiet_says_nothing_but_errors(sick: Path) -> None:
    assert call("run", sick, "--quiet") == (0, "", "")
    code, out, err = call("run", "nowhere", "--quiet")
    assert (code, out) == (1, "")
    assert err.startswith("oddfleet: nowhere: ")


@pytest.mark.parametrize(("style", "quiet"), [([], False), (["--json"], True), (["--quiet"], True)], ids=str)
def test_progress_is_shown_unless_asked_not_to(monkeypatch: pytest.MonkeyPatch, style: list[str], quiet: bool) -> None:
    asked: list[bool] = []

    shown = report.Progress

    def progress(*, quiet: bool) -> report.Progress:
        asked.append(quiet)
        return shown(quiet=True)

    monkeypatch.setattr("oddfleet.report.Progress", progress)
    call("run", "nowhere", *style)
    assert asked == [quiet]


def test_debug_shows_the_traceback_and_the_line() -> None:
    code, out, err = call("run", "nowhere", "--debug")
    assert (code, out) == (1, "")
    assert err.startswith("Traceback (most recent call last):")
    assert err.splitlines()[-1].startswith("oddfleet: nowhere: ")


@pytest.mark.parametrize("command", ["run", "selftest", "demo"])
@pytest.mark.parametrize("style", [[], ["--quiet"], ["--json"], ["--debug"]], ids=["plain", "quiet", "json", "debug"])
def test_a_bug_is_not_dressed_up_as_an_error_of_the_user(
    monkeypatch: pytest.MonkeyPatch, command: str, style: list[str]
) -> None:
    for work in ("run", "demo", "selftest_data"):
        monkeypatch.setattr(f"oddfleet.pipeline.{work}", raising(ZeroDivisionError("1 / 0\nand so on")))
    code, out, err = call(command, *([] if command == "demo" else ["data"]), *style)
    said = json.loads(out)["error"] if style == ["--json"] else err.splitlines()[-1].removeprefix("oddfleet: ")
    assert code == 1
    assert said.startswith("nobody foresaw this: ZeroDivisionError: 1 / 0")
    assert said.endswith("; run it again with --debug and report it")
    assert ("Traceback" in err) == (style == ["--debug"])


@pytest.mark.parametrize("command", ["run", "selftest"])
@pytest.mark.parametrize("style", [[], ["--json"]], ids=["plain", "json"])
def test_what_is_printed_cannot_be_sent(
    sick: Path, monkeypatch: pytest.MonkeyPatch, command: str, style: list[str]
) -> None:
    monkeypatch.setattr("oddfleet.plant.FAULTS", (Kind.NEGATIVE_TRAFFIC,))
    monkeypatch.setattr("oddfleet.cli.send", raising(OutputError("stdout: must take it; make room")))
    assert call(command, sick, *style) == (1, "", "oddfleet: stdout: must take it; make room\n")


@pytest.mark.parametrize("style", [[], ["--json"]], ids=["plain", "json"])
def test_standard_output_takes_nothing(
    sick: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], style: list[str]
) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            if self.getvalue():
                raise OSError(28, "No space left on device")

    monkeypatch.setattr("sys.argv", ["oddfleet", "run", str(sick), *style])
    monkeypatch.setattr("sys.stdout", Full())
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 1
    assert capsys.readouterr().err == (
        "oddfleet: stdout: must take what is printed, got 'No space left on device'; choose another place to print "
        "to, or add --debug to see more\n"
    )


def test_cohorts_by_a_column_of_the_meta_file(sick: Path) -> None:
    code, _, err = call("run", sick, "--cohorts", "room")
    assert code == 1
    assert err.startswith("oddfleet: cohorts: must be 'auto', 'none' or a column of the meta file")
    assert call("run", sick, "--cohorts", "none", "--quiet") == (0, "", "")


@pytest.fixture
def two_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two kinds of fault are enough to see what is printed."""
    monkeypatch.setattr("oddfleet.plant.FAULTS", (Kind.NEGATIVE_TRAFFIC, Kind.DETACHED))


@pytest.mark.usefixtures("two_faults")
def test_selftest(sick: Path, here: Path) -> None:
    code, out, err = call("selftest", sick, "--repeats", "1")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[1].startswith("| kind             | 0.125 | 0.25 | 0.5  | 1    | 2    | half found from ")
    assert lines[3].startswith("| negative traffic | 100%  | 100% | 100% | 100% | 100% | <= 0.125 ")
    assert lines[4].startswith("| detached         |       |      |      |      |      | cannot be planted here |")
    assert lines[-1] == "Note: Odd before anything was planted, and left alone: 2."
    assert list(here.iterdir()) == []


@pytest.mark.usefixtures("two_faults")
@pytest.mark.parametrize("quiet", [[], ["--quiet"]], ids=["", "quiet"])
def test_selftest_as_json(sick: Path, quiet: list[str]) -> None:
    code, out, err = call("selftest", sick, "--repeats", "2", "--seed", "3", "--cohorts", "none", "--json", *quiet)
    assert (code, err) == (0, "")
    said = json.loads(out)["selftest"]
    assert (said["repeats"], said["seed"], said["odd"]) == (2, 3, [2])
    assert [fault["planted"] for fault in said["faults"]] == [[2] * 5, [0] * 5]


@pytest.mark.usefixtures("two_faults")
def test_selftest_leaves_its_curves_in_the_report_of_a_run(sick: Path) -> None:
    alone = call("selftest", sick, "--repeats", "1")
    assert call("selftest", sick, "--repeats", "1", "--out", "results") == alone
    page = Path("results/report.html").read_text(encoding="utf-8")
    assert page.count("<polyline") == 2  # negative traffic, all kinds
    assert json.loads(Path("results/oddities.json").read_text(encoding="utf-8"))[0]["id"] == 2


@pytest.mark.usefixtures("two_faults")
def test_selftest_says_nothing_when_quiet(sick: Path) -> None:
    assert call("selftest", sick, "--repeats", "1", "--quiet") == (0, "", "")


@pytest.fixture(scope="module")
def judged(sick: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run on the sick fleet."""
    out = tmp_path_factory.mktemp("judged")
    assert call("run", sick, "--out", out, "--quiet") == (0, "", "")
    return out


def test_explain(judged: Path, here: Path) -> None:
    code, out, err = call("explain", judged, "2")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].endswith(" (2)")
    assert lines[1].startswith("Odd, number 1 of 1 odd device among 6; ")
    assert any(line.startswith("Inactive, 2020-01-") for line in lines)
    assert lines[-1] == "  Check next: Ping the device, and ask when it was installed or taken out."
    assert list(here.iterdir()) == []


def test_explain_as_json(judged: Path) -> None:
    code, out, err = call("explain", judged, "2", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)["explain"]
    assert (told["id"], told["odd"], told["findings"][0]["kind"]) == (2, True, "inactive")
    assert told["findings"] == json.loads((judged / "findings.json").read_text(encoding="utf-8"))["findings"]
    code, out, _ = call("explain", judged, json.loads((judged / "oddities.json").read_text())[0]["name"], "--json")
    assert (code, json.loads(out)["explain"]) == (0, told)


@pytest.mark.parametrize(("asked", "said"), [("77", "needed, got '77'; choose "), ("", "needed, got ''; choose ")])
def test_explain_nobody(judged: Path, asked: str, said: str) -> None:
    code, out, err = call("explain", judged, asked)
    assert (code, out) == (1, "")
    assert err.startswith(f"oddfleet: {judged}: the id or name of a device is {said}")
    assert err.count("\n") == 1


def test_explain_with_its_traceback() -> None:
    code, out, err = call("explain", "nowhere", "1", "--debug")
    assert (code, out) == (1, "")
    assert err.startswith("Traceback (most recent call last):")
    assert err.splitlines()[-1].startswith("oddfleet: nowhere: a folder with the results of a run is needed")


def test_explain_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oddfleet.pipeline.explain", raising(KeyboardInterrupt()))
    assert call("explain", "out", "1") == (130, "", "oddfleet: cancelled; nothing was written\n")


def test_selftest_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oddfleet.pipeline.selftest_data", raising(KeyboardInterrupt()))
    assert call("selftest", "data") == (130, "", "oddfleet: cancelled; nothing was written\n")


def test_version() -> None:
    assert call("--version") == (0, f"oddfleet {importlib.metadata.version('oddfleet')}\n", "")


@pytest.mark.parametrize("asked", ["--help", "-h"])
@pytest.mark.parametrize("command", ["run", "demo", "selftest", "compact", "explain"])
def test_help_has_an_example(command: str, asked: str) -> None:
    code, out, err = call(command, asked)
    assert (code, err) == (0, "")
    assert f"'oddfleet {command} " in out.split("Example")[1]


def test_help_names_the_commands_and_first_steps() -> None:
    code, out, _ = call("--help")
    assert code == 0
    for said in ("run", "demo", "--version", "oddfleet run FOLDER"):
        assert said in out


def test_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    small = plant.with_fault(plant.steady_fleet(6, 40, seed=5), 2, Kind.INACTIVE, seed=1)
    monkeypatch.setattr(plant, "sample_fleet", lambda: small)
    code, out, err = call("demo", "--fail-on-odd", "--json")
    assert (code, err) == (3, "")
    assert json.loads(out)["odd"] == [2]
    assert (Path("oddfleet-demo") / "sample" / "iot_6.csv").is_file()


def test_cancelled_before_the_command_begins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["oddfleet", "--version"])
    monkeypatch.setattr("importlib.metadata.version", raising(KeyboardInterrupt()))
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 130
    assert capsys.readouterr().err == "oddfleet: cancelled; the results of the last complete run are untouched\n"


def test_cancelled_before_the_command_begins_that_was_to_print_a_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["oddfleet", "run", "data", "--json"])
    # As Typer hears of Ctrl-C while it reads the options.
    monkeypatch.setattr("typer.core.TyperGroup.invoke", raising(KeyboardInterrupt()))
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 130
    out, err = capsys.readouterr()
    assert (json.loads(out)["error"], err) == ("cancelled; the results of the last complete run are untouched", "")


@pytest.mark.parametrize("arguments", [["run", "nowhere"], ["run"]], ids=["error", "usage"])
def test_a_document_that_cannot_be_sent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["oddfleet", *arguments, "--json"])
    monkeypatch.setattr("oddfleet.cli.telling.send", raising(OutputError("stdout: must take it; make room")))
    monkeypatch.setattr("oddfleet.cli.usage.send", raising(OutputError("stdout: must take it; make room")))
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 1
    assert capsys.readouterr() == ("", "oddfleet: stdout: must take it; make room\n")


def test_main_is_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["ignored", "run", "nowhere"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 1
    assert capsys.readouterr().err.startswith("oddfleet: nowhere: ")
