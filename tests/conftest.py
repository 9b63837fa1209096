"""Shared fixtures."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fast_select import _core
from fast_select.cli import main

if not hasattr(_core, "stages"):
    # Tests against scipy and umap-learn need them.
    pytest.exit(
        "built without single stages: run maturin develop --release --features stages", returncode=4
    )

SHARED = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture
def rng():
    return np.random.default_rng(20251119)


@pytest.fixture
def features(tmp_path, rng):
    """A .npy file of 400 rows in three clusters."""
    x = rng.normal(size=(400, 6)) + rng.integers(0, 3, size=(400, 1)) * 3
    path = tmp_path / "features.npy"
    np.save(path, x.astype(np.float32))
    return path


@pytest.fixture
def run(tmp_path):
    """Run the command in an empty folder, as a user does."""
    folder = tmp_path / "here"
    folder.mkdir()

    def run(*args, stdin=None, cwd=folder, **env):
        return subprocess.run(
            [sys.executable, "-m", "fast_select", *map(str, args)],
            input=stdin,
            capture_output=True,
            cwd=cwd,
            env={**os.environ, "COLUMNS": "200", **env},
            timeout=120,
            check=False,
        )

    run.folder = folder
    return run


@pytest.fixture
def call(tmp_path, monkeypatch, capfdbinary):
    """Run the command in this process and an empty folder."""
    folder = tmp_path / "inside"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def call(*args):
        code = main([*map(str, args)])
        out, err = capfdbinary.readouterr()
        return SimpleNamespace(returncode=code, stdout=out, stderr=err)

    call.folder = folder
    return call


@pytest.fixture
def shared_data():
    """Folder of the real data sets, where it is at hand."""
    if not SHARED.is_dir():
        pytest.skip(f"no shared data sets in {SHARED}")
    return SHARED
