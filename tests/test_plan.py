"""Time and memory foreseen, and kept to."""

import json
import os
import platform
import subprocess
import sys

import click
import numpy as np
import pytest

import fast_select
from fast_select.cli._options import memory_size


@pytest.fixture(scope="module")
def data():
    return np.random.default_rng(3).normal(size=(9000, 20)).astype(np.float32)


@pytest.mark.parametrize("method", ["fast", "paper", "k-means"])
def test_the_stages_are_those_that_run(data, method):
    planned = fast_select.plan(data, ratio=0.05, method=method, n_random=1)
    ran = fast_select.select(
        data[:600], ratio=0.05, method=method, n_random=1, max_steps=3, n_neighbors=8
    )
    stages = [stage["name"] for stage in ran.report["stages"]]
    assert [stage["name"] for stage in planned["stages"]] == stages
    assert all(stage["seconds"] >= 0 for stage in planned["stages"])
    assert planned["working_bytes"] == max(stage["bytes"] for stage in planned["stages"])


def test_less_memory_means_smaller_blocks(run, tmp_path, data):
    path = tmp_path / "x.npy"
    np.save(path, data)

    def planned(*options):
        # Few draws: with many, their sums are what takes most of so small a run.
        got = run("plan", path, "--ratio", "0.1", "--random", "2", "--json", *options)
        assert got.returncode == 0, got.stderr
        return json.loads(got.stdout)

    free = planned()
    assert free["block_rows"] == 16384
    limit = (64 << 20) + free["working_bytes"] * 2 // 3
    tight = planned("--max-memory", limit)
    assert tight["block_rows"] < 9000
    assert tight["working_bytes"] + tight["process_bytes"] <= limit * 1.05
    options = ("--random", "2", "--max-memory", limit, "-o", "-", "--report", "r.json")
    got = run(path, "--ratio", "0.1", *options)
    assert len(got.stdout.split()) == 900
    report = json.loads((run.folder / "r.json").read_text())
    assert report["options"]["block_rows"] == tight["block_rows"]


def test_what_cannot_fit_is_refused_with_what_it_takes(data):
    with pytest.raises(fast_select.InvalidInputError, match=r"1 MiB is less than the \d+ MiB"):
        fast_select.select(data, ratio=0.1, max_memory=2**20)
    with pytest.raises(fast_select.InvalidInputError):
        fast_select.plan(data, ratio=2)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators are left alone")
def test_freed_buffers_go_back_to_the_system():
    code = """if True:
        import sys
        import numpy as np
        from fast_select._allocator import return_large_buffers
        from fast_select.energy import current_rss
        if sys.argv[1:]:
            return_large_buffers()
        # A large buffer, freed, is what makes glibc keep the smaller ones to come.
        np.ones(30 << 17)
        before = current_rss()
        small = [np.ones(1 << 20) for _ in range(3)]
        del small[:2]
        print((current_rss() - before) >> 20)
    """
    own = {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"}
    env = {name: value for name, value in os.environ.items() if name not in own}

    def left(*words: str) -> int:
        command = [sys.executable, "-c", code, *words]
        return int(subprocess.run(command, env=env, capture_output=True, check=True).stdout)

    assert left("return") <= 10 < left()


@pytest.mark.parametrize(
    "text,size",
    [
        ("2GiB", 2 << 30),
        ("1.5g", 3 << 29),
        ("500MB", 500_000_000),
        ("64 kib", 65536),
        ("12345", 12345),
        ("7B", 7),
        ("1TiB", 1 << 40),
    ],
)
def test_sizes(text, size):
    param = click.Option(["--max-memory"])
    assert memory_size(None, param, text) == size


@pytest.mark.parametrize("text", ["", "GiB", "-1GiB", "0", "1.2.3M", "2 parsecs"])
def test_refused_sizes(text):
    with pytest.raises(click.BadParameter):
        memory_size(None, click.Option(["--max-memory"]), text)


def test_command(run, features):
    got = run("plan", features, "--ratio", "0.1")
    assert got.returncode == 0, got.stderr.decode()
    assert "exchange" in got.stdout.decode()
    assert list(run.folder.iterdir()) == []
    result = json.loads(run("plan", features, "--count", "20", "--json").stdout)
    assert result["count"] == 20
    refused = run(features, "--ratio", "0.1", "--max-memory", "3MiB")
    assert refused.returncode == 2
    assert b"--max-memory: 3 MiB is less than" in refused.stderr
    assert list(run.folder.iterdir()) == []
