"""Ctrl-C at any stage: exit 130 within two seconds, nothing written, no traceback."""

import re
import signal
import subprocess
import sys
import time

import click
import numpy as np
import pytest

from fast_select.cli import main
from fast_select.cli._commit import Outcome, write_all
from fast_select.cli._main import told
from fast_select.cli._signals import Guard, Stopped
from fast_select.cli._targets import Target

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
    assert process.stderr.read() == b"Interrupted; nothing was written.\n"
    process.stdin.close()
    process.stderr.close()


def test_ctrl_c_while_the_tables_are_printed_says_what_is_written(run, features):
    process = subprocess.Popen(
        [sys.executable, "-m", "fast_select", features, "--ratio", ".1", "--ratio", ".2",
         "--ratio", ".3", "--random", "2"],
        stderr=subprocess.PIPE,
        cwd=run.folder,
        pipesize=4096,  # the tables do not fit, and nobody reads
    )  # fmt: skip
    while len(list(run.folder.glob("*.json"))) < 3:
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    text = process.communicate(timeout=10)[1].decode()
    assert process.returncode == 130
    assert text.count("Interrupted; ") == 1
    assert text.splitlines()[-1].endswith("features.report-0.3.json are written.")
    assert len(list(run.folder.iterdir())) == 6


@pytest.mark.parametrize("moment", [0.03, 0.06, 0.1, 0.15])
def test_ctrl_c_while_modules_are_loaded(run, features, moment):
    """From the first line of the entry point on; what is before is the interpreter's."""
    code = (
        "import threading, time, os, signal\n"
        "from fast_select.cli import run\n"
        f"kill = lambda: (time.sleep({moment}), os.kill(os.getpid(), signal.SIGINT))\n"
        "threading.Thread(target=kill, daemon=True).start()\n"
        "run()\n"
    )
    got = subprocess.run(
        [sys.executable, "-c", code, features, "--ratio", ".1", "--random", "10000", "--quiet"],
        capture_output=True, cwd=run.folder, timeout=60, check=False,
    )  # fmt: skip
    assert got.returncode == 130
    assert got.stderr == b"Interrupted; nothing was written.\n"


def test_nothing_is_loaded_before_ctrl_c_is_answered():
    code = "import sys, fast_select.cli; print('numpy' in sys.modules, 'click' in sys.modules)"
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert got.stdout.split() == [b"False", b"False"]


def test_a_signal_that_is_ignored_stays_ignored(tmp_path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Guard():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.fixture
def hangup_heard():
    """SIGHUP as a terminal leaves it: under nohup it is ignored, and stays so."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hangup_heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_stop_before_the_names_are_given_and_wait_after(tmp_path, number):
    target = Target.of(str(tmp_path / "a.txt"), "--output", force=False)
    outcome = Outcome()

    def write(file):
        signal.raise_signal(number)  # waits for the next write
        file.write(b"1")

    with pytest.raises(Stopped) as caught:
        write_all([(target, write)], outcome)
    assert (caught.value.number, str(outcome)) == (number, "nothing was written")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Stopped), Guard():
        signal.raise_signal(number)
        signal.raise_signal(number)
        outcome.written.append("a.txt")
    assert str(outcome) == "a.txt is written"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_program_keeps_its_ctrl_c(capsys):
    before = signal.getsignal(signal.SIGINT)
    assert main(["--version"]) == 0
    assert main(["nowhere.npy", "--ratio", ".1"]) == 2
    assert signal.getsignal(signal.SIGINT) is before


def test_the_end_of_a_file_is_no_interrupt(capsys):
    try:
        try:
            raise EOFError("no more")
        except EOFError as end:
            raise click.Abort() from end
    except click.Abort as err:
        assert told(err, Outcome()) == 1
    assert "EOFError: no more" in capsys.readouterr().err


def test_ctrl_c_in_a_callback_that_cannot_raise_is_answered_all_the_same():
    code = """
import os, signal, sys, time
from fast_select.cli._signals import Stopped, accept_interrupts, stop_again

class Deleted:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)

sys.unraisablehook = stop_again
accept_interrupts()
since = time.monotonic()
try:
    del (deleted := [Deleted()])[0]
    time.sleep(5)
except Stopped:
    print(time.monotonic() - since < 4)
"""
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (got.stdout, got.stderr) == (b"True\n", b"")
