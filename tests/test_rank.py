"""The order in which to take picks: every prefix stands for the whole."""

import json
import subprocess
import sys

import numpy as np
import pytest

import fast_select


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(12, 5)) * 3
    kind = rng.integers(0, 12, 4000)
    return (centres[kind] + rng.normal(size=(4000, 5))).astype(np.float32), kind % 3


def cfd(x, rows, labels=None):
    quality = fast_select.evaluate(x, rows, labels=labels, n_random=30)["quality"]
    return quality["selection"]["cfd_m"] / quality["random"]["cfd_m"]["mean"]


@pytest.mark.parametrize("method", ["fast", "random", "k-means"])
@pytest.mark.parametrize("block_rows", [16_384, 700])
def test_prefixes_are_far_better_than_those_in_any_other_order(data, method, block_rows):
    x, labels = data
    options = {"labels": labels, "method": method, "block_rows": block_rows}
    picked = fast_select.select(x, ratio=0.1, rank=True, n_random=0, **options)
    assert np.array_equal(np.sort(picked.rank), np.arange(1, 401))
    in_order = picked.indices[np.argsort(picked.rank)]
    shuffled = np.random.default_rng(0).permutation(picked.indices)
    for size in (40, 100, 200):
        assert cfd(x, in_order[:size]) < 0.6 * cfd(x, shuffled[:size])
        counts = np.bincount(labels[in_order[:size]])
        assert np.abs(counts - size * np.bincount(labels[picked.indices]) / 400).max() <= 2


def test_the_rows_are_those_that_are_selected_without(data):
    x, labels = data
    for options in [{}, {"labels": labels}]:
        plain = fast_select.select(x, ratio=0.1, n_random=2, **options)
        ranked = fast_select.select(x, ratio=0.1, n_random=2, rank=True, **options)
        assert np.array_equal(plain.indices, ranked.indices)
        assert plain.rank is None
        assert plain.report["selection"]["ranking"] is None
        assert plain.report["quality"] == ranked.report["quality"]


def test_the_report_has_prefixes_beside_selections_and_random_ones(data):
    x, labels = data
    picked = fast_select.select(x, ratio=0.1, labels=labels, n_random=5, rank=True)
    ranking = picked.report["selection"]["ranking"]
    assert [(entry["share"], entry["count"]) for entry in ranking] == [
        (0.1, 40),
        (0.25, 100),
        (0.5, 200),
    ]
    in_order = picked.indices[np.argsort(picked.rank)]
    for entry in ranking:
        own = fast_select.evaluate(x, in_order[: entry["count"]], labels=labels, n_random=5)
        made = fast_select.select(x, count=entry["count"], labels=labels, n_random=0)
        for name in ("cfd_m", "coverage_mean"):
            assert entry["prefix"][name] == own["quality"]["selection"][name]
            assert entry["selected"][name] == made.report["quality"]["selection"][name]
            assert entry["random"][name] == own["quality"]["random"][name]["mean"]
            assert entry["prefix"][name] < entry["random"][name]
    assert (
        fast_select.select(x, count=9, n_random=0, rank=True).report["selection"]["ranking"] == []
    )


def test_what_cannot_be_selected_at_a_size_has_no_figures(data):
    x, labels = data
    picked = fast_select.select(x, count=20, labels=labels, n_random=2, rank=True)
    first, *others = picked.report["selection"]["ranking"]
    assert first["count"] == 2 and first["selected"] is None  # of three classes
    assert all(entry["selected"] for entry in others)


def test_included_rows_come_first_and_nested_selections_have_ranks_of_their_own(data):
    x, _ = data
    include = [17, 5, 3999]
    small, large = fast_select.select_nested(
        x, ratios=[0.02, 0.1], include=include, rank=True, n_random=0
    )
    for picked in (small, large):
        first = picked.indices[np.argsort(picked.rank)][:3]
        assert np.array_equal(np.sort(first), np.sort(include))


def test_ranks_do_not_depend_on_threads(data):
    x, labels = data
    options = {"ratio": 0.1, "rank": True, "n_random": 0, "labels": labels, "block_rows": 300}
    one, two = (fast_select.select(x, threads=threads, **options) for threads in (1, 2))
    assert np.array_equal(one.rank, two.rank)


@pytest.mark.parametrize("n,count", [(1, 1), (7, 7), (60, 1), (60, 60)])
def test_few_rows_and_all_rows(n, count):
    x = np.random.default_rng(1).normal(size=(n, 2))
    picked = fast_select.select(x, count=count, rank=True, n_random=2)
    assert np.array_equal(np.sort(picked.rank), np.arange(1, count + 1))


def test_files_have_rows_in_their_order(tmp_path, data):
    x, _ = data
    np.save(tmp_path / "x.npy", x)
    expected = fast_select.select(x, count=30, rank=True, n_random=2)
    in_order = expected.indices[np.argsort(expected.rank)]
    command = [sys.executable, "-m", "fast_select", "x.npy", "--count", "30", "--rank"]
    command += ["--random", "2", "--quiet"]
    for name in ("a.npy", "a.csv", "a.txt"):
        done = subprocess.run([*command, "-o", name, "--force"], cwd=tmp_path, check=False)
        assert done.returncode == 0
    assert np.array_equal(np.load(tmp_path / "a.npy"), in_order)
    assert np.array_equal(np.loadtxt(tmp_path / "a.txt", dtype=int), in_order)
    table = (tmp_path / "a.csv").read_text().splitlines()
    assert table[:2] == ["index,rank", f"{in_order[0]},1"]
    assert len(json.loads((tmp_path / "x.report.json").read_text())["selection"]["ranking"]) == 3


def test_rank_is_yes_or_no(data):
    for bad in ("yes", 2, 1.0):
        with pytest.raises(fast_select.InvalidInputError, match=r"rank: .* is not true or false"):
            fast_select.select(data[0], count=9, rank=bad)
