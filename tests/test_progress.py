"""Progress as lines of JSON, for programs that read them."""

import itertools
import json
import time

import pytest

from fast_select.cli import _progress
from fast_select.cli._progress import StageProgress

SMALL = ["--random", "2"]


def told(stderr):
    """The lines, each of which must be JSON of the four fields."""
    lines = [json.loads(line) for line in stderr.decode().splitlines()]
    for line in lines:
        assert list(line) == ["stage", "done", "total", "seconds"]
        assert 0 <= line["done"] <= line["total"]
        assert line["seconds"] >= 0
    return lines


def check_stages(lines):
    """Every stage begins at 0 and ends with all, and never falls back between."""
    begun = None
    for line in lines:
        here = (line["stage"], line["total"])
        if begun is None:
            assert line["done"] == 0
            begun, before = here, line
            continue
        assert here == begun
        assert line["done"] >= before["done"]
        assert line["seconds"] >= before["seconds"]
        begun, before = (None if line["done"] == line["total"] else begun), line
    assert begun is None


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
@pytest.mark.parametrize(
    "options,stages",
    [
        ([], ["prepare", "exchange", "quality"]),
        (["--method", "paper"], ["prepare", "optimize", "quality"]),
        (["--rank"], ["prepare", "exchange", "rank", "quality"]),
        (["--ratio", "0.3"], ["prepare", "exchange", "quality", "exchange", "quality"]),
        (["--json"], ["prepare", "exchange", "quality"]),
    ],
)
def test_a_selection_tells_its_stages(call, features, options, stages, quiet):
    got = call(features, "--ratio", "0.1", *SMALL, "--progress", "json", *options, *quiet)
    assert got.returncode == 0
    lines = told(got.stderr)
    check_stages(lines)
    ended = [line["stage"] for line in lines if line["done"] == line["total"]]
    told_once = [stage for stage, _ in itertools.groupby(s for s in ended if s in stages)]
    assert told_once == stages
    assert list(call.folder.glob("features.selected*.npy"))
    assert bool(got.stdout) == ("--json" in options)


def test_other_commands_tell_theirs(call, features):
    commands = [
        ["demo", *SMALL, "-o", "rows.npy", "--report", "demo.json"],
        ["verify", "demo.json"],
        [features, "--count", 9, *SMALL, "-o", "nine.txt", "--report", "nine.json"],
        ["verify", "nine.json"],
        ["evaluate", features, "nine.txt", *SMALL],
    ]
    for command in commands:
        got = call(*command, "--progress", "json")
        assert got.returncode == 0, got.stderr
        lines = told(got.stderr)
        check_stages(lines)
        assert lines


def test_none_leaves_the_table(call, features):
    got = call(features, "--ratio", "0.1", *SMALL, "--progress", "none")
    silent = got.stderr.decode()
    assert got.returncode == 0
    assert "Wrote 40 indices" in silent
    got = call(features, "--ratio", "0.1", *SMALL, "--force", "--progress", "auto")
    lines = got.stderr.decode().splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["prepare", "exchange", "quality"]
    assert lines[3].split()[:1] != ["prepare"]
    assert not silent.startswith("prepare")


@pytest.mark.parametrize("kind", ["auto", "none"])
def test_quiet_is_quiet(call, features, kind):
    got = call(features, "--ratio", "0.1", *SMALL, "--quiet", "--progress", kind)
    assert (got.returncode, got.stderr) == (0, b"")


def test_what_fails_is_one_line_after_the_stages_that_ended(call, features):
    got = call(features, "--ratio", "2", "--progress", "json")
    assert got.returncode == 2
    assert got.stderr.startswith(b"Error: --ratio: 2")
    got = call(features, "--ratio", "0.1", "--progress", "xml")
    assert got.returncode == 2
    assert b"--progress" in got.stderr
    assert len(got.stderr.splitlines()) == 1


def test_some_lines_a_second_at_most(capfdbinary, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    with StageProgress("json", quiet=False) as progress:
        for done in range(1001):
            progress("exchange", done, 1000)
            now[0] += 0.001
    lines = told(capfdbinary.readouterr().err)
    check_stages(lines)
    assert 10 <= len(lines) <= 12
    between = [b["seconds"] - a["seconds"] for a, b in itertools.pairwise(lines[:-1])]
    assert min(between) >= 0.999 * _progress.INTERVAL


def test_a_stage_that_is_broken_off_does_not_end(capfdbinary):
    with pytest.raises(KeyboardInterrupt), StageProgress("json", quiet=True) as progress:
        progress("prepare", 0, 5)
        progress("exchange", 0, 5)
        raise KeyboardInterrupt
    lines = told(capfdbinary.readouterr().err)
    assert [(line["stage"], line["done"]) for line in lines] == [
        ("prepare", 0),
        ("prepare", 5),
        ("exchange", 0),
    ]


def test_another_total_is_a_new_count(capfdbinary):
    """Ranks are found, then compared; both are called rank."""
    with StageProgress("json", quiet=True) as progress:
        for total in (300, 9000):
            progress("rank", 0, total)
    lines = told(capfdbinary.readouterr().err)
    assert [(line["done"], line["total"]) for line in lines] == [
        (0, 300), (300, 300), (0, 9000), (9000, 9000),
    ]  # fmt: skip
