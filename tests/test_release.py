"""The release workflow names what there is, and all of it; the check of a wheel passes here."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = ROOT / ".github" / "workflows"
RELEASE = (WORKFLOWS / "release.yml").read_text()
PYPROJECT = (ROOT / "pyproject.toml").read_text()

FREE_THREADED = "3.14t"
"""The first that PyO3 builds for without the GIL."""


def jobs(text):
    """The text of each job."""
    _, *parts = re.split(r"^  (\w+):\n", text.partition("\njobs:\n")[2], flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def versions():
    """Python's versions as pyproject.toml has them."""
    return re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PYPROJECT)


def test_classifiers_begin_with_the_python_that_is_needed():
    assert f'requires-python = ">={versions()[0]}"' in PYPROJECT
    minors = [int(version.partition(".")[2]) for version in versions()]
    assert minors == list(range(minors[0], minors[-1] + 1))
    assert f"pyo3/abi3-py3{minors[0]}" in PYPROJECT
    assert f'"abi3-py3{minors[0]}"' in (ROOT / "rust/py/Cargo.toml").read_text()


def test_wheels_are_tried_on_every_python_and_system():
    [listed] = re.findall(r"python: \[(.*)\]", jobs(RELEASE)["try"])
    assert re.findall(r"[\w.]+", listed) == [*versions(), FREE_THREADED]
    for system in ("ubuntu-latest", "ubuntu-24.04-arm", "macos", "windows"):
        assert system in jobs(RELEASE)["try"]


def test_every_target_has_both_kinds_of_wheel():
    rows = re.findall(r"target: ([\w-]+)(?:, python: \"(\S+)\")?", jobs(RELEASE)["wheels"])
    kinds = {}
    for target, python in rows:
        kinds.setdefault(target, set()).add(python)
    assert set(kinds) == {
        f"{machine}-{system}"
        for machine, system in [
            *((m, s) for m in ("x86_64", "aarch64") for s in ("unknown-linux-gnu", "apple-darwin")),
            *((m, "unknown-linux-musl") for m in ("x86_64", "aarch64")),
            ("x86_64", "pc-windows-msvc"),
        ]
    }
    for target, pythons in kinds.items():
        assert pythons == ({""} if "linux" in target else {versions()[0], FREE_THREADED}), target
    own = f"set -- python{versions()[0]} python{FREE_THREADED}"
    assert own in (ROOT / ".ci/wheels").read_text()


def test_only_what_publishes_may_and_it_comes_last():
    others = jobs(RELEASE)
    publish = others.pop("publish")
    [needs] = re.findall(r"needs: \[(.*)\]", publish)
    assert set(needs.split(", ")) == set(others)
    assert "environment: pypi" in publish
    assert "id-token: write" in publish
    assert "github.ref_type == 'tag'" in publish
    assert RELEASE.count("write") == publish.count("write") == 2
    for path in WORKFLOWS.iterdir():
        assert "\npermissions:\n  contents: read\n" in path.read_text()


@pytest.mark.parametrize("path", sorted(WORKFLOWS.iterdir()), ids=lambda path: path.name)
def test_files_that_a_workflow_names_are_there(path):
    text = path.read_text()
    named = set(re.findall(r"(?<![\w/])(?:\./)?((?:\.ci|\.github|tests)/[\w./-]+)", text))
    assert named
    for name in named:
        assert (ROOT / name).is_file(), name
        assert os.access(ROOT / name, os.X_OK) or not name.startswith(".ci/")
    for action in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"\./\S+|[\w-]+/[\w-]+@(v\d+|release/v\d+|[0-9a-f]{40})", action)


def test_what_is_named_for_the_archive_is_there():
    for name in re.findall(r'\{ path = "([^"*]+)', PYPROJECT):
        assert (ROOT / name).exists(), name
    [files] = re.findall(r"^license-files = \[(.*)\]$", PYPROJECT, re.MULTILINE)
    for name in re.findall(r'"([^"]+)"', files):
        assert (ROOT / name).is_file(), name


def test_the_check_of_a_wheel_passes_on_what_is_here():
    got = subprocess.run(
        [sys.executable, ROOT / "tests" / "wheel.py"], capture_output=True, text=True
    )
    assert (got.returncode, got.stderr) == (0, "")
    assert got.stdout.startswith("passed: fast-select ")
