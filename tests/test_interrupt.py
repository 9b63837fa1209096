"""Ctrl-C at any stage: exit 130 within two seconds, nothing written, no traceback."""

import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytestmark = pytest.mark.slow

STAGES = ["prepare", "neighbors", "graph", "spectral", "frequencies", "optimize", "decode"]


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "large.npy"
    rng = np.random.default_rng(0)
    np.save(path, rng.normal(size=(20_000, 64)).astype(np.float32))
    return path


@pytest.mark.parametrize(
    "method,stage",
    [("paper", stage) for stage in STAGES]
    + [("fast", "prepare"), ("fast", "exchange")]
    + [("k-means", "prepare"), ("herding", "prepare"), ("k-center", "prepare")],
)
def test_ctrl_c_after_a_stage_has_ended(run, large, method, stage):
    """A line is printed as a stage ends, so the signal comes early in the next one."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fast_select", large, "--ratio", "0.2", "--random", "60",
         "--method", method],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=run.folder,
    )  # fmt: skip
    seen = b""
    while not re.search(rf"^{stage} ".encode(), seen, re.MULTILINE):
        line = process.stderr.readline()
        assert line, seen
        seen += line
    process.send_signal(signal.SIGINT)
    since = time.monotonic()
    out, err = process.communicate(timeout=30)
    took = time.monotonic() - since
    text = (seen + err).decode()
    assert process.returncode == 130, text
    assert took < 2
    assert "Interrupted; nothing was written." in text
    assert "Traceback" not in text
    assert out == b""
    assert list(run.folder.iterdir()) == []


def test_ctrl_c_while_reading_a_pipe(run):
    process = subprocess.Popen(
        [sys.executable, "-m", "fast_select", "-", "--ratio", "0.1"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=run.folder,
    )
    # Reading begins once the modules are loaded; there is nothing to wait for but time.
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=5) == 130
    assert process.stderr.read().strip() == b"Interrupted; nothing was written."
    process.stdin.close()
    process.stderr.close()
