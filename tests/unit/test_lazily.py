from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

PACKAGES = ("detect", "plant", "report")


@pytest.mark.parametrize("package", PACKAGES)
def test_all_that_a_package_promises_is_there(package: str) -> None:
    module = importlib.import_module(f"oddfleet.{package}")
    for name in module.__all__:
        assert hasattr(module, name)
        assert name in dir(module)


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_package_does_not_have_is_an_attribute_error(package: str) -> None:
    module = importlib.import_module(f"oddfleet.{package}")
    with pytest.raises(AttributeError, match=rf"module 'oddfleet\.{package}' has no attribute 'nonsense'"):
        _ = module.nonsense


def test_importing_a_package_imports_none_of_its_parts() -> None:
    code = (
        "import sys; before = {*sys.modules};"
        f"import {', '.join(f'oddfleet.{package}' for package in PACKAGES)};"
        "print(sorted(name for name in {*sys.modules} - before if name.startswith('oddfleet.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    expected = sorted(["oddfleet.errors", "oddfleet.lazily", *(f"oddfleet.{package}" for package in PACKAGES)])
    assert done.stdout == f"{expected}\n"
