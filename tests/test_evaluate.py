"""Judging selections: ours, random ones, bad ones."""

import json

import numpy as np
import pytest

import fast_select


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    return rng.normal(size=(1500, 5)) + rng.integers(0, 3, size=(1500, 1)) * 2


@pytest.mark.slow
def test_random_selections_are_no_better_than_random(data):
    rng = np.random.default_rng(0)
    better = 0
    for seed in range(40):
        rows = np.sort(rng.choice(1500, 60, replace=False))
        verdict = fast_select.evaluate(data, rows, seed=seed)["verdict"]
        better += verdict.startswith("Better")
    # 3 of 101 are expected to beat 98 of 100 draws; 6 of 40 happen less than once in 1,000 times.
    assert better <= 5


def test_ours_is_better_and_a_one_sided_pick_worse(data):
    rows = fast_select.select(data, count=60, seed=3).indices
    report = fast_select.evaluate(data, rows)
    assert report["verdict"].startswith("Better than random")
    assert report["quality"]["random"]["cfd_m"]["beaten"] == 100
    assert report["quality"]["random"]["sliced_wasserstein"]["beaten"] > 90
    side = np.argsort(data[:, 0])[:60]
    worse = fast_select.evaluate(data, side)
    assert worse["verdict"].startswith("Worse than random")
    assert worse["quality"]["selection"]["mmd2"] > 5 * worse["quality"]["selection"]["mmd2_se"]


def test_refusals(data):
    for rows in ([], [1.5], [[1]], [-1], [1500], [3, 3]):
        with pytest.raises(fast_select.InvalidInputError):
            fast_select.evaluate(data, rows)


def test_command(run, tmp_path, data):
    np.save(tmp_path / "x.npy", data)
    (tmp_path / "labels.txt").write_text("a\nb\n" * 750)
    assert run(tmp_path / "x.npy", "--count", "50", "--quiet").returncode == 0
    got = run("evaluate", tmp_path / "x.npy", "x.selected.npy", "--labels", tmp_path / "labels.txt")
    assert got.returncode == 0, got.stderr.decode()
    assert got.stdout.decode().startswith("Better than random")
    assert "sliced Wasserstein" in got.stderr.decode()
    report = json.loads(run("evaluate", tmp_path / "x.npy", "x.selected.npy", "--json").stdout)
    assert report["quality"]["n_random"] == 100
    refused = run("evaluate", tmp_path / "x.npy", "missing.npy")
    assert refused.returncode == 2
    assert b"missing.npy: does not exist" in refused.stderr
