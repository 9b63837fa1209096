"""Standard streams that are closed, full, of few characters, or whose reader leaves at once."""

import fcntl
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

COMMAND = f"{sys.executable} -m fast_select"
RESULTS = ["features.report.json", "features.selected.npy"]


def shell(folder, command, **env):
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        cwd=folder,
        env={**os.environ, **env},
        timeout=60,
        check=False,
    )


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "redirected", ["2>&-", ">&-", "<&-", "<&- >&- 2>&-", "2>/dev/full", ">/dev/full",
                   "2> >(true)", "--quiet 2>&-"]
)  # fmt: skip
def test_files_are_written_whatever_the_streams_are(run, features, redirected):
    got = shell(run.folder, f"{COMMAND} {features} --ratio .1 {redirected}")
    assert got.returncode == 0, got.stderr
    assert b"Traceback" not in got.stderr
    assert got.stdout == b""
    assert names(run.folder) == RESULTS
    assert np.load(run.folder / "features.selected.npy").size == 40


@pytest.mark.parametrize(
    "arguments,redirected",
    [
        ("{x} --ratio .1 --json", ">/dev/full"),
        ("{x} --ratio .1 --json", ">&-"),
        ("{x} --ratio .1 -o - --report r.json", ">/dev/full"),
        ("{x} --ratio .1 -o - --report r.json", ">&-"),
        ("plan {x} --ratio .1 --json", ">/dev/full"),
        ("plan {x} --ratio .1", ">/dev/full"),
        ("evaluate {x} rows.txt --random 2", ">&-"),
        ("evaluate {x} rows.txt --random 2", ">/dev/full"),
        ("select --help", ">/dev/full"),
        ("--version", ">&-"),
    ],
)
def test_what_cannot_be_printed_is_one_line_and_nothing_is_written(
    run, features, arguments, redirected
):
    (run.folder / "rows.txt").write_text("1\n2\n3\n")
    got = shell(run.folder, f"{COMMAND} {arguments.format(x=features)} {redirected}")
    assert got.returncode in (1, 2)
    errors = [line for line in got.stderr.splitlines() if line.startswith(b"Error")]
    assert len(errors) == 1
    assert errors[0].startswith(b"Error: standard output: ")
    assert b"Traceback" not in got.stderr
    assert names(run.folder) == ["rows.txt"]


@pytest.mark.parametrize(
    "arguments,written",
    [("{x} --ratio .1 --json --quiet", RESULTS),
     ("{x} --ratio .5 -o - --report r.json", ["r.json"]),
     ("plan {x} --ratio .1", []), ("plan {x} --ratio .1 --json", []), ("--help", [])],
)  # fmt: skip
def test_a_reader_that_leaves_at_once_is_no_error(run, features, arguments, written):
    got = shell(run.folder, f"{COMMAND} {arguments.format(x=features)} 2>err | true")
    text = (run.folder / "err").read_bytes()
    assert got.returncode == 0, text
    assert b"Error" not in text
    assert b"Traceback" not in text
    assert names(run.folder) == sorted(["err", *written])


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_streams_of_few_characters_get_other_ones(run, features, encoding):
    name = run.folder / "größe-日本.npy"
    name.write_bytes(features.read_bytes())
    rows = [f"klasse-{'ü日'[i % 2]}" for i in range(400)]
    (run.folder / "y.txt").write_text("\n".join(rows), encoding="utf-8")
    env = {"PYTHONIOENCODING": encoding}
    got = run(name, "--ratio", ".1", "--labels", "y.txt", "--json", **env)
    assert got.returncode == 0, got.stderr
    assert got.stderr.decode(encoding)
    report = json.loads(got.stdout.decode(encoding))
    assert report["input"]["files"] == [str(name)]
    assert [c["label"] for c in report["selection"]["classes"]] == ["klasse-ü", "klasse-日"]
    plan = run("plan", name, "--ratio", ".1", **env)
    assert plan.returncode == 0, plan.stderr
    assert "prepare" in plan.stdout.decode(encoding)


def test_the_c_locale_is_enough(run, features):
    env = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    got = run(features, "--ratio", ".1", **env)
    assert got.returncode == 0, got.stderr
    assert b"Wrote" in got.stderr


def test_a_slow_reader_of_a_pipe_that_does_not_wait_gets_all(run, features):
    read, write = os.pipe()
    os.set_blocking(write, False)
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    process = subprocess.Popen(
        [*COMMAND.split(), "plan", features, "--ratio", ".1", "--json", "--method", "paper"],
        stdout=write,
        stderr=write,
        cwd=run.folder,
    )
    os.close(write)
    time.sleep(1)
    with os.fdopen(read, "rb") as reader:
        plan = json.loads(reader.read())
    assert process.wait(30) == 0
    assert plan["count"] == 40


def test_a_closed_standard_input_is_empty(run):
    got = shell(run.folder, f"{COMMAND} - --ratio .1 <&-")
    assert got.returncode == 2
    assert got.stderr.count(b"\n") == 1
    assert b"standard input: is empty" in got.stderr
