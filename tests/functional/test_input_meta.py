"""The meta file in whatever form, and names of every kind: stored as they are, and shown safely everywhere."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

import oddfleet
from oddfleet import plant
from tests.functional.inputs import OTHERS, Outcome, Run, cases, text

DEVICES = range(1, OTHERS + 2)
Entries = list[dict[str, Any]]
ENTRIES: Entries = [
    {"id": device, "name": f"name_{device}", "site": "north" if device < 4 else "south"} for device in DEVICES
]


def as_lines(entries: Entries) -> str:
    return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)


def as_csv(entries: Entries, separator: str = ",") -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(entries[0]), delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(entries)
    return stream.getvalue()


def with_meta(data: Path, name: str, content: str | bytes | Entries) -> Path:
    """The folder with this meta file and no other."""
    (data / "device_meta.txt").unlink()
    found = json.dumps(content, ensure_ascii=False) if isinstance(content, list) else content
    (data / name).write_bytes(found if isinstance(found, bytes) else found.encode())
    return data


def silent(data: Path) -> None:
    """Device 4 falls silent after ten days, which is odd."""
    file = data / "iot_4.csv"
    file.write_text("\n".join([*file.read_text(encoding="utf-8").splitlines()[:11], ""]))


def meta(done: Outcome) -> list[Any]:
    return done.query("SELECT id, name FROM meta ORDER BY rowid")


def everything_else(done: Outcome) -> list[Any]:
    """All cells of the tables that are not in the contract."""
    tables = done.query("SELECT name FROM sqlite_master WHERE type = 'table'")
    further = [name for (name,) in tables if name not in {"time_series", "rejected", "meta"}]
    return [cell for name in further for row in done.query(f'SELECT * FROM "{name}"') for cell in row]


FORMS: dict[str, tuple[str, str | bytes]] = {
    **{
        name: (name, json.dumps(ENTRIES))
        for name in ("device_meta.txt", "meta.json", "names.json", "devices.dat", "devices.list", "META", "meta.csv")
    },
    "byte order mark": ("device_meta.txt", json.dumps(ENTRIES).encode("utf-8-sig")),
    "UTF-16": ("device_meta.txt", json.dumps(ENTRIES).encode("utf-16")),
    "over many lines": ("device_meta.txt", json.dumps(ENTRIES, indent=2).replace("\n", "\r\n")),
    "JSON lines": ("meta.jsonl", as_lines(ENTRIES)),
    "JSON lines, ndjson": ("devices.ndjson", as_lines(ENTRIES)),
    "JSON lines, txt": ("device_meta.txt", as_lines(ENTRIES) + "\n"),
    "JSON lines, json": ("meta.json", as_lines(ENTRIES).rstrip("\n")),
    "CSV": ("device_meta.csv", as_csv(ENTRIES)),
    "CSV, another name": ("devices.csv", as_csv(ENTRIES)),
    "CSV, txt": ("device_meta.txt", as_csv(ENTRIES)),
    "CSV, semicolons, mark, CRLF": ("meta.csv", as_csv(ENTRIES, ";").replace("\n", "\r\n").encode("utf-8-sig")),
}


@pytest.mark.parametrize("form", cases(FORMS))
def test_a_meta_file_in_any_form(data: Path, run: Run, form: tuple[str, str | bytes]) -> None:
    done = run(with_meta(data, *form))
    done.check_lines(40)
    assert done.rejected() == []
    assert meta(done) == [(device, f"name_{device}") for device in DEVICES]
    assert {"north", "south"} <= set(everything_else(done))


SITES: Entries = [{"id": device, "name": None, "site": "north" if device <= 20 else "south"} for device in range(1, 41)]
LISTS: dict[str, str | Entries] = {"JSON": SITES, "CSV": as_csv(SITES), "JSON lines": as_lines(SITES)}


@pytest.mark.parametrize("content", cases(LISTS))
def test_a_further_column_names_the_cohorts(data: Path, run: Run, content: str | Entries) -> None:
    plant.write_folder(plant.steady_fleet(40, 40, seed=1), data)
    with_meta(data, "device_meta.txt", content)
    run(data, "--cohorts", "site").check_lines(40, others=39 * 40)
    devices = oddfleet.find_oddities(oddfleet.read(data), cohorts="site").devices
    cohorts = dict(zip(devices["id"], devices["cohort"], strict=True))
    assert len({cohorts[device] for device in range(1, 21)}) == len({cohorts[device] for device in range(21, 41)}) == 1
    assert cohorts[1] != cohorts[40]


def test_a_column_that_is_not_there_is_an_error(data: Path, run: Run) -> None:
    done = run(with_meta(data, "device_meta.txt", ENTRIES), "--cohorts", "floor")
    done.check_error("cohorts")
    assert "site" in done.stderr
    assert not done.out.exists()


@pytest.mark.parametrize("form", cases({form: form for form in ("JSON", "CSV")}))
def test_of_an_id_twice_the_first_counts(data: Path, run: Run, form: str) -> None:
    entries = [*ENTRIES, {"id": 4, "name": "again", "site": "north"}]
    done = run(with_meta(data, "device_meta.txt", entries if form == "JSON" else as_csv(entries)))
    done.check_lines(40)
    assert meta(done) == [(device, f"name_{device}") for device in DEVICES]
    ((line, _, reason),) = done.rejected("device_meta")
    assert line == 0
    assert "4" in reason


def test_two_devices_of_one_name_stay_two(data: Path, run: Run) -> None:
    silent(data)
    done = run(with_meta(data, "device_meta.txt", [{"id": device, "name": "twin"} for device in DEVICES]))
    done.check_lines(10)
    assert meta(done) == [(device, "twin") for device in DEVICES]
    assert done.document("oddities.json") == [{"id": 4, "name": "twin"}]
    top = done.document("findings.json")["answers"]["top_devices"]
    assert sorted(entry["device_id"] for entry in top) == list(DEVICES)


def test_an_id_without_a_file_is_no_oddity(data: Path, run: Run) -> None:
    entries = [*ENTRIES, *({"id": device, "name": f"name_{device}"} for device in range(6, 500))]
    done = run(with_meta(data, "device_meta.txt", entries))
    done.check_lines(40)
    assert len(meta(done)) == 499
    assert done.document("oddities.json") == []
    assert done.document("findings.json")["findings"] == []
    assert done.document("findings.json")["data"]["named_without_data"] == 494


def test_a_file_without_id_in_meta_is_judged(data: Path, run: Run) -> None:
    silent(data)
    done = run(with_meta(data, "device_meta.txt", [entry for entry in ENTRIES if entry["id"] != 4]))
    done.check_lines(10)
    assert done.document("oddities.json") == [{"id": 4, "name": None}]
    assert {finding["name"] for finding in done.document("findings.json")["findings"]} == {None}
    assert done.document("findings.json")["data"]["data_without_name"] == 1


BROKEN = {
    "empty": "",
    "half": '[{"id": 4, "na',
    "no list": '{"devices": []}',
    "no JSON": "hello",
    "deep": "[" * 100_000,
    "Latin-1": '[{"id": 4, "name": "café"}]'.encode("latin-1"),
}


@pytest.mark.parametrize("content", cases(BROKEN))
def test_a_broken_meta_file_is_an_error_or_named(data: Path, run: Run, content: str | bytes) -> None:
    done = run(with_meta(data, "device_meta.txt", content))
    if done.code:
        done.check_error("device_meta.txt")
    elif not isinstance(content, bytes) or (4, "café") not in meta(done):
        assert done.rejected("device_meta.txt")


def test_an_entry_that_names_no_device_is_named(data: Path, run: Run) -> None:
    strange = [{"name": "nobody"}, "x", {"id": None, "name": "y"}, {"id": [4], "name": "z"}]
    done = run(with_meta(data, "device_meta.txt", json.dumps([*ENTRIES, *strange])))
    done.check_lines(40)
    assert len(done.rejected("device_meta.txt")) == len(strange)
    assert len(meta(done)) == len(ENTRIES)


# Names.

NAMES = {
    "comma": "attic, lamp",
    "quotes": 'the "old" lamp\'s',
    "script": "<script>alert(1)</script>",
    "handler": '"><img src=x onerror=alert(1)>',
    "template": "{{ 7 * 7 }} {% raw %}",
    "formula": '=HYPERLINK("http://a.b","c")',
    "mark-up of the terminal": "[bold red]lamp[/] :smile:",
    "mathtext": "$x_2$ \\frac $",
    "emoji": "lamp 💡",
    "emoji of several": "lamp 👩\u200d🔧",
    "right to left": "مصباح العلية",
    "accents": "Zoë Łódź 東京",
    "path": "../../etc/passwd",
    "SQL": "'); DROP TABLE meta; --",
    "blank": "   ",
    "nothing": "",
    "number": "4",
    "long": "x" * 20_000,
}
CONTROLS = {
    "colour": "lamp\x1b[31m red",
    "title": "lamp\x1b]0;owned\x07",
    "C1": "lamp\x9b31m",
    "NUL": "lamp\x00lamp",
    "bell": "lamp\x07",
    "new line": "lamp\nNone of 5 devices is odd.",
    "return": "lamp\rNone",
    "back": "lamp\b\b\b\b",
    "override": "lamp\u202egpj.exe",
    "line separator": "lamp\u2028lamp\u0085lamp",
    "half a pair": "lamp\ud800",
}


class Page(html.parser.HTMLParser):
    """The text, the tags and the attributes' names of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def named(data: Path, run: Run, name: str) -> Outcome:
    """A run with an odd device of this name and a healthy one, so that it is shown wherever names are."""
    silent(data)
    entries = [{"id": device, "name": name if device > 3 else f"name_{device}"} for device in DEVICES]
    (data / "device_meta.txt").write_text(json.dumps(entries), encoding="utf-8")
    done = run(data)
    done.check_lines(10)
    page = Page(done.text("report.html"))
    assert not {"img", "iframe", "link"} & set(page.tags)
    assert page.tags.count("script") == 3  # ours
    assert all(link.startswith("#odd-") for link in page.links)
    assert not [attribute for attribute in page.attributes if attribute.startswith("on")]
    assert len(done.text("report.html").encode()) <= 2_000_000
    return done


@pytest.mark.parametrize("name", cases(NAMES))
def test_a_name_is_stored_as_it_is_and_shown_safely(data: Path, run: Run, name: str) -> None:
    done = named(data, run, name)
    assert (4, name) in meta(done)
    assert done.document("oddities.json") == [{"id": 4, "name": name}]
    assert {finding["name"] for finding in done.document("findings.json")["findings"]} == {name}
    assert name.strip()[:100] in Page(done.text("report.html")).text
    assert name.strip()[:20] in done.stdout


@pytest.mark.parametrize("name", cases(CONTROLS))
def test_a_name_does_not_steer_terminal_or_page(data: Path, run: Run, name: str) -> None:
    done = named(data, run, name)
    plain = name.encode("utf-8", "backslashreplace").decode()  # half a pair has no form in UTF-8
    assert [entry[1] for entry in meta(done)[3:]] == [plain, plain]
    ((device, shown_name),) = (tuple(entry.values()) for entry in done.document("oddities.json"))
    assert (device, shown_name in {name, plain}) == (4, True)
    for shown in (done.stdout, done.text("report.html")):
        assert {unicodedata.category(letter) for letter in shown.replace("\n", "")} & {"Cc", "Cf", "Zl", "Zp"} == set()
    assert not [line for line in done.stdout.splitlines() if line.startswith("None of")]


def test_names_in_csv_come_through_its_quotes(data: Path, run: Run) -> None:
    names = ["a, b", 'the "old" one', "two\nlines", "=1+1", "💡"]
    entries = [{"id": device, "name": name} for device, name in zip(DEVICES, names, strict=True)]
    done = run(with_meta(data, "device_meta.csv", as_csv(entries)))
    done.check_lines(40)
    assert meta(done) == list(zip(DEVICES, names, strict=True))


def test_nothing_of_a_file_name_steers_the_terminal(data: Path, run: Run) -> None:
    (data / "iot_\x1b[31m.csv").write_text(text([("2020-01-01", "5")]))
    done = run(data)
    done.check_lines(41)
    assert "\x1b" not in done.stdout + done.stderr + done.text("report.html")
