"""The meta file: which it is, what it says, and what of it cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from oddfleet.errors import InputError
from oddfleet.ingest import Source, read_source, to_fleet

Files = dict[str, Any]


def read(folder: Path, files: Files, device: str = "7") -> Source:
    """The source of a folder with one device file and further files: text as it stands, the rest as JSON."""
    (folder / f"iot_{device}.csv").write_text("date,traffic\n2020-01-01,1\n")
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name).write_text(text, encoding="utf-8")
    return read_source(folder)


def reasons(source: Source) -> list[str]:
    assert all(issue.line == 0 for issue in source.issues)
    return [issue.reason for issue in source.issues]


def test_ids_and_names_in_file_order(tmp_path: Path) -> None:
    entries = [{"id": 9, "name": "b"}, {"id": "7", "name": None}, {"id": 8.0, "name": "b"}, {"id": 6}]
    source = read(tmp_path, {"device_meta.txt": entries})
    assert source.meta.rows() == [(9, "b"), (7, None), (8, "b"), (6, None)]
    assert dict(source.meta.schema) == {"id": pl.Int64(), "name": pl.String()}
    assert source.issues == ()


def test_a_byte_order_mark_is_no_harm(tmp_path: Path) -> None:
    source = read(tmp_path, {"names.json": '\ufeff[{"id": 7, "name": "é"}]'})
    assert source.meta.rows() == [(7, "é")]


def test_further_keys_become_columns_and_attributes(tmp_path: Path) -> None:
    entries = [
        {"id": 7, "name": "a", "site": "x", "floor": 2},
        {"id": 8, "name": "b", "tags": ["p", "é"], "site": None},
    ]
    source = read(tmp_path, {"device_meta.txt": entries})
    assert source.meta.to_dict(as_series=False) == {
        "id": [7, 8],
        "name": ["a", "b"],
        "site": ["x", None],
        "floor": ["2", None],
        "tags": [None, '["p", "é"]'],
    }
    fleet = to_fleet(source)
    assert fleet.names == ("a",)
    assert fleet.attributes == {"site": ("x",), "floor": ("2",), "tags": (None,)}


def test_no_meta_file_is_no_harm(tmp_path: Path) -> None:
    source = read(tmp_path, {})
    assert source.meta.columns == ["id", "name"]
    assert source.meta.is_empty()
    assert source.issues == ()
    assert to_fleet(source).names == (None,)


def test_a_device_the_meta_file_does_not_know_has_no_name(tmp_path: Path) -> None:
    assert to_fleet(read(tmp_path, {"meta.json": [{"id": 8, "name": "b"}]})).names == (None,)


def test_entries_that_name_no_device_or_one_again_are_issues(tmp_path: Path) -> None:
    entries = [{"name": "a"}, "x", {"id": True}, {"id": " "}, {"id": [7]}, {"id": "gate"}, {"id": 7}, {"id": "07"}]
    source = read(tmp_path, {"device_meta.txt": entries})
    no_id = 'it must be an object with an "id", a number or a text'
    assert reasons(source) == [
        *(f"entry {place}: {no_id}" for place in range(1, 6)),
        "entry 6: the id must be a whole number as those of the data, got 'gate'",
        "entry 8: the id must appear once, got 7 again; the first entry counts",
    ]
    assert source.issues[0].text == '{"name": "a"}'
    assert source.meta.rows() == [(7, None)]


def test_ids_are_text_where_those_of_the_data_are(tmp_path: Path) -> None:
    source = read(tmp_path, {"meta.json": [{"id": 8, "name": "a"}, {"id": "gate", "name": "b"}]}, device="gate")
    assert source.meta.rows() == [("8", "a"), ("gate", "b")]
    assert to_fleet(source).names == ("b",)


def test_half_a_surrogate_pair_is_spelt_out(tmp_path: Path) -> None:
    source = read(tmp_path, {"meta.json": r'[{"id": 7, "name": "\ud800"}, {"id": 7, "name": "\ud800"}]'})
    assert source.meta["name"].to_list() == [r"\ud800"]
    assert r"\ud800" in source.issues[0].text


def test_an_empty_list_is_a_meta_file(tmp_path: Path) -> None:
    source = read(tmp_path, {"device_meta.txt": "[]"})
    assert source.meta.schema == {"id": pl.Int64(), "name": pl.String()}
    assert source.issues == ()


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("", "text that is neither"),
        ('[{"id": 7', "text that is neither"),
        ("[" * 100_000, "text that is neither"),
        ('{"id": 7, "name": "a"', "text that is neither"),
        ("null", "text that is neither .a JSON NoneType"),
    ],
)
def test_a_broken_meta_file_is_an_error(tmp_path: Path, text: str, got: str) -> None:
    with pytest.raises(InputError, match=f"device_meta.txt: the meta file must be a JSON list .*, got {got}") as caught:
        read(tmp_path, {"device_meta.txt": text})
    assert "\n" not in str(caught.value)


def test_a_meta_file_in_another_encoding_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "device_meta.txt").write_bytes(b'[{"id": 7, "name": "\xe9"}]')
    with pytest.raises(InputError, match="codec can't decode"):
        read(tmp_path, {})


def test_a_meta_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "device_meta.txt").mkdir()
    with pytest.raises(InputError, match="got a file that cannot be read"):
        read(tmp_path, {})


def test_a_list_without_meta_in_its_name_will_do_and_prose_is_noted(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    source = read(tmp_path, {"names.txt": [{"id": 7, "name": "a"}], "README.txt": "Read me."})
    assert source.meta.rows() == [(7, "a")]
    assert reasons(source) == ["not used: the meta file is names.txt"] * 2


def test_prose_alone_is_no_meta_file(tmp_path: Path) -> None:
    source = read(tmp_path, {"README.txt": "Read me."})
    assert source.meta.is_empty()
    assert reasons(source) == ["not used: it is no list of devices"]


def test_of_two_meta_files_the_first_counts(tmp_path: Path) -> None:
    source = read(tmp_path, {"a_meta.txt": [{"id": 7, "name": "a"}], "b_meta.txt": [{"id": 7, "name": "b"}]})
    assert source.meta.rows() == [(7, "a")]
    assert reasons(source) == ["not used: the meta file is a_meta.txt"]


def test_what_an_earlier_run_wrote_is_no_meta_file(tmp_path: Path) -> None:
    files: Files = {"oddities.json": [{"id": 7, "name": "old"}], "findings.json": {"schema": 1}}
    source = read(tmp_path, {**files, "z.json": [{"id": 7, "name": "new"}]})
    assert source.meta.rows() == [(7, "new")]
    assert source.issues == ()
