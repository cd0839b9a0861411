"""What a shell is told when someone presses Tab, by the protocol that its completion script speaks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from oddfleet.cli import main; main()"]


def oddfleet(*arguments: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def offered(shell: str, typed: str, cwd: Path) -> str:
    words = typed.split(" ")
    if shell == "bash":
        place = {"COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
    else:
        place = {"_TYPER_COMPLETE_ARGS": typed}
    return oddfleet(cwd=cwd, _ODDFLEET_COMPLETE=f"complete_{shell}", **place)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    odd = [{"id": 34, "name": "depot_lamp"}, {"id": 7, "name": None}, {"id": "hall", "name": "hall's"}]
    (tmp_path / "out" / "oddities.json").write_text(json.dumps(odd), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_commands_and_options(shell: str, out: Path) -> None:
    said = offered(shell, "oddfleet ", out)
    for command in ("run", "demo", "selftest", "compact", "explain"):
        assert command in said
    assert "explain" in offered(shell, "oddfleet exp", out)
    assert "run" not in offered(shell, "oddfleet exp", out)
    assert "--fail-on-odd" in offered(shell, "oddfleet run --fa", out)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_odd_devices_of_a_folder(shell: str, out: Path) -> None:
    said = offered(shell, "oddfleet explain out ", out)
    assert all(device in said for device in ("34", "7", "hall"))
    assert "depot_lamp" in said or shell == "bash"
    said = offered(shell, "oddfleet explain out 3", out)
    assert "34" in said
    assert "hall" not in said


@pytest.mark.parametrize("text", [None, "", "{", "[7]", '[{"id": 7}]', '{"id": 7}'], ids=repr)
def test_nothing_is_offered_and_nothing_said_where_nothing_can_be_read(out: Path, text: str | None) -> None:
    if text is None:
        (out / "out" / "oddities.json").unlink()
    else:
        (out / "out" / "oddities.json").write_text(text, encoding="utf-8")
    assert offered("bash", "oddfleet explain out ", out) == "\n"
    # zsh is left to offer files.
    assert offered("zsh", "oddfleet explain out ", out) == "_files\n"


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete -o default -F"), ("zsh", "#compdef oddfleet")])
def test_the_script_to_install(shell: str, word: str, tmp_path: Path) -> None:
    said = oddfleet("--show-completion", shell, cwd=tmp_path, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert word in said
    assert "_ODDFLEET_COMPLETE=complete_" in said


@pytest.mark.parametrize(("shell", "file"), [("bash", ".bashrc"), ("zsh", ".zshrc")])
def test_it_installs_itself(shell: str, file: str, tmp_path: Path) -> None:
    said = oddfleet(
        "--install-completion", shell, cwd=tmp_path,
        HOME=str(tmp_path), _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1",
    )  # fmt: skip
    assert "completion installed in" in said
    assert (tmp_path / file).read_text(encoding="utf-8")
