"""Whatever README and docs tell people to type works, and whatever they point to is there.

In a fenced ``console`` or ``bash`` block the lines that begin with ``$ oddfleet`` are run, in a folder with a sample
fleet under every name that docs use for "your data"; a comment ``# exit 3`` on the line, or on the next, states the
exit code. Lines that begin with ``$ make`` must name targets of the Makefile. Every ``python`` block is run.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from oddfleet import Fleet, Kind, plant

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
YOUR_FOLDERS = ("data", "DATA", "folder", "FOLDER")
YOUR_TABLES = ("traffic", "fleet", "table")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it is, what language, which text."""

    place: str
    language: str
    text: str


@dataclass(frozen=True)
class Command:
    """A line to type, without its prompt, and the exit code that the text promises."""

    place: str
    line: str
    exit_code: int = 0


def fenced_blocks(text: str, name: str) -> list[Block]:
    """The fenced blocks of a Markdown text, be they indented or not."""
    blocks: list[Block] = []
    fence = language = ""
    start, lines = 0, list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        mark = re.match(r"\s*(`{3,}|~{3,})\s*([\w-]*)", line)
        if not fence and mark:
            fence, language, start, lines = mark[1], mark[2].lower(), number, []
        elif fence and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            blocks.append(Block(f"{name}:{start}", language, "\n".join(lines) + "\n"))
            fence = ""
        elif fence:
            lines.append(line)
    assert not fence, f"{name}:{start}: the block is not closed"
    return blocks


def commands(blocks: list[Block], word: str) -> list[Command]:
    """The lines of console and bash blocks that begin with a prompt and ``word``; a backslash joins lines."""
    found: list[Command] = []
    for block in blocks:
        if block.language not in {"console", "bash"}:
            continue
        lines = re.sub(r"\\\n\s*(?:>\s+)?", "", block.text).splitlines()
        for line, after in zip(lines, [*lines[1:], ""], strict=True):
            if re.match(rf"\s*\$ {word}\b", line):
                stated = re.search(r"#.*?\bexit (\d+)", line) or re.match(r"\s*#.*?\bexit (\d+)", after)
                code = int(stated[1]) if stated else 0
                found.append(Command(block.place, line.strip().removeprefix("$ "), code))
    return found


def unknown_targets(line: str, makefile: str) -> set[str]:
    """What a ``make`` line asks for that the Makefile does not make."""
    known = set(re.findall(r"^([\w.-]+)\s*:(?!=)", makefile, re.MULTILINE))
    words = re.split(r"&&|;|\|", " ".join(shlex.split(line, comments=True)))[0].split()[1:]
    return {word for word in words if not word.startswith("-") and "=" not in word} - known


def inline_make(text: str) -> list[str]:
    """The ``make`` lines that stand in running text, as inline code."""
    return re.findall(r"(?<!`)`(make [^`]+)`(?!`)", without_blocks(text))


def broken_links(text: str, folder: Path) -> list[str]:
    """Relative links and pictures of a Markdown text that lead to no file."""
    links = re.findall(r"\]\(<?([^)\s>]+)>?(?:\s[^)]*)?\)|^\[[^\]]+\]:\s*(\S+)", without_blocks(text), re.MULTILINE)
    paths = [(inline or below).split("#")[0] for inline, below in links if ":" not in (inline or below)]
    return [path for path in paths if path and not (folder / path).exists()]


def without_blocks(text: str) -> str:
    return re.sub(r"^\s*(`{3,}|~{3,}).*?^\s*\1\s*$", "", text, flags=re.MULTILINE | re.DOTALL)


def your_data(folder: Path) -> None:
    """A fleet with one odd device, under every name that docs use for it."""
    fleet = plant.with_fault(plant.steady_fleet(8, 60, seed=5), 2, Kind.INACTIVE, seed=1)
    for name in YOUR_FOLDERS:
        plant.write_folder(fleet, folder / name)
    table = _as_table(fleet)
    for name in YOUR_TABLES:
        table.write_parquet(folder / f"{name}.parquet")
        table.write_csv(folder / f"{name}.csv")


def _as_table(fleet: Fleet) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "date": fleet.dates.repeat(fleet.n_devices),
            "device_id": list(fleet.device_ids) * fleet.n_days,
            "value": fleet.values.ravel(),
        }
    )


def problem(command: Command, folder: Path) -> str:
    """What is wrong with a command, run as a user would in a folder; nothing if it is well."""
    here = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(  # noqa: S602 - our own docs, with their redirections
        command.line,
        shell=True,
        cwd=folder,
        env=os.environ | {"PATH": here},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    if done.returncode == command.exit_code:
        return ""
    return f"{command.place}: '{command.line}' left with {done.returncode}, not {command.exit_code}: {done.stderr}"


# --- the helpers, on a small text -----------------------------------------------------------------------------------

SAMPLE = """\
# A page
See [the method](docs/method.md#surprise), [nothing](docs/nothing.md), [the web](https://example.org), [here](#a-page),
![a picture](docs/images/none.png "title") and [below][1]. Type `make test` or `make tea`, not `cmake tea`.

[1]: LICENCE-NOT

```console
$ make run      # sets everything up; make nonsense
$ make test nonsense DATA=folder
$ oddfleet --version
oddfleet 0.1.0
$ oddfleet run data --out results --fail-on-odd --quiet  # exit 3
$ oddfleet run nowhere
# exit 1: there is no such folder
  $ oddfleet run data \\
>   --quiet
$ ls oddfleet
```

~~~bash
$ oddfleet run data --quiet --json > findings.json && test -s findings.json
~~~

```text
$ oddfleet not-run
[not a link](not-there.md)
```

```python
print("hello")
```
"""


def test_blocks_are_found_with_their_places() -> None:
    found = fenced_blocks(SAMPLE, "page.md")
    assert [block.language for block in found] == ["console", "bash", "text", "python"]
    assert found[0].place == "page.md:7"
    assert found[3].text == 'print("hello")\n'
    with pytest.raises(AssertionError, match=r"page\.md:2: the block is not closed"):
        fenced_blocks("text\n```python\n", "page.md")


def test_commands_are_found_with_their_exit_codes() -> None:
    found = commands(fenced_blocks(SAMPLE, "page.md"), "oddfleet")
    assert [(command.line.split("  #")[0], command.exit_code) for command in found] == [
        ("oddfleet --version", 0),
        ("oddfleet run data --out results --fail-on-odd --quiet", 3),
        ("oddfleet run nowhere", 1),
        ("oddfleet run data --quiet", 0),
        ("oddfleet run data --quiet --json > findings.json && test -s findings.json", 0),
    ]


def test_commands_are_run(tmp_path: Path) -> None:
    your_data(tmp_path)
    _, odd, nowhere, *_ = commands(fenced_blocks(SAMPLE, "page.md"), "oddfleet")
    assert problem(odd, tmp_path) == problem(nowhere, tmp_path) == ""
    assert (tmp_path / "results" / "oddities.json").is_file()
    assert "left with 1, not 0: oddfleet: nowhere" in problem(Command("page.md:9", "oddfleet run nowhere"), tmp_path)


def test_targets_and_links_that_are_not_there_are_seen(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "method.md").touch()
    makefile = "OUT := out\nREADY:=x\nrun: ready ## run\ntest:\n\techo tea: no\n"
    lines = [command.line for command in commands(fenced_blocks(SAMPLE, "page.md"), "make")]
    assert [unknown_targets(line, makefile) for line in lines] == [set(), {"nonsense"}]
    assert [unknown_targets(line, makefile) for line in inline_make(SAMPLE)] == [set(), {"tea"}]
    assert broken_links(SAMPLE, tmp_path) == ["docs/nothing.md", "docs/images/none.png", "LICENCE-NOT"]


# --- the real pages -------------------------------------------------------------------------------------------------

BLOCKS = [
    block
    for path in DOCS
    if path.is_file()
    for block in fenced_blocks(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
]
PYTHON = [block for block in BLOCKS if block.language == "python"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    your_data(folder)
    return folder


@pytest.mark.parametrize("command", commands(BLOCKS, "oddfleet"), ids=lambda command: f"{command.place} {command.line}")
def test_every_command_of_the_docs_works(command: Command, home: Path) -> None:
    assert problem(command, home) == ""


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.place)
def test_every_python_block_of_the_docs_runs(block: Block, home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", block.text], cwd=home, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_tests_that_the_docs_name_exist(path: Path) -> None:
    files = list((ROOT / "tests").rglob("test_*.py"))
    known = {file.name for file in files} | {
        name
        for file in files
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    named = re.findall(r"`(?:[\w/]+/)?(test_\w+(?:\.py)?)`", path.read_text(encoding="utf-8"))
    assert set(named) <= known


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_make_targets_and_links_of_the_docs_exist(path: Path) -> None:
    text, name = path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lines = [command.line for command in commands(fenced_blocks(text, name), "make")] + inline_make(text)
    assert {line: unknown_targets(line, makefile) for line in lines if unknown_targets(line, makefile)} == {}
    assert broken_links(text, path.parent) == []
