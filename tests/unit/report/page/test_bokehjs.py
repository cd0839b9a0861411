from __future__ import annotations

import base64
import hashlib
import zlib

from oddfleet.report.page.bokehjs import Script, bokeh_js


def test_a_script_is_known_by_its_hash_and_unpacked_again() -> None:
    script = Script("alert('ä')")
    assert script.source == f"'sha256-{base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()}'"
    assert zlib.decompress(base64.b64decode(script.packed)).decode() == script.text


def test_bokeh_is_that_of_the_installed_package_and_a_third_of_the_page() -> None:
    script = bokeh_js()
    assert "Bokeh" in script.text
    assert len(script.packed) < 700_000
