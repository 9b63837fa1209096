"""Rows that must be selected, rows that must not, and nested sizes."""

import numpy as np
import pytest

import fast_select


@pytest.fixture
def data(rng):
    x = rng.normal(size=(900, 5)) + rng.integers(0, 3, size=(900, 1)) * 3
    return x, np.repeat(["a", "b", "c"], [600, 290, 10])


@pytest.mark.parametrize("method", ["fast", "random"])
@pytest.mark.parametrize("with_labels", [False, True])
def test_included_rows_stay_and_excluded_rows_stay_out(data, method, with_labels):
    x, labels = data
    include, exclude = np.arange(0, 900, 50), np.arange(1, 900, 2)
    got = fast_select.select(
        x, count=90, labels=labels if with_labels else None, include=include, exclude=exclude,
        method=method, n_random=2, block_rows=100,
    ).indices  # fmt: skip
    assert got.size == 90
    assert np.isin(include, got).all()
    assert not np.isin(got, exclude).any()


def test_all_selectable_rows(data):
    x, _ = data
    exclude = np.arange(100, 900)
    got = fast_select.select(x, count=100, exclude=exclude, n_random=1).indices
    assert got.tolist() == list(range(100))
    got = fast_select.select(x, count=90, include=np.arange(90), n_random=1).indices
    assert got.tolist() == list(range(90))


def test_excluded_rows_still_count_in_the_whole(rng):
    x = np.r_[rng.normal(size=(500, 2)), rng.normal(size=(500, 2)) + 6]
    exclude = np.arange(0, 450)
    got = fast_select.select(x, count=100, exclude=exclude, n_random=2).indices
    # Half of the whole lies on the first side, of which 50 rows can be had.
    assert (got < 500).sum() > 40


def test_nested_selections_lie_within_one_another(data):
    x, labels = data
    sizes = [0.05, 0.4, 0.1]
    small, large, middle = (
        s.indices for s in fast_select.select_nested(x, ratios=sizes, labels=labels, n_random=2)
    )
    assert [small.size, large.size, middle.size] == [45, 360, 90]
    assert np.isin(middle, large).all()
    assert np.isin(small, middle).all()
    alone = fast_select.select(x, ratio=0.4, labels=labels, n_random=2)
    assert (alone.indices == large).all()


def test_refusals(data):
    x, labels = data
    for parameters in (
        {"count": 5, "include": [900]},
        {"count": 5, "exclude": [-1]},
        {"count": 5, "include": [3], "exclude": [3]},
        {"count": 5, "include": np.arange(6)},
        {"count": 801, "exclude": np.arange(100)},
        {"count": 5, "include": [1], "method": "paper"},
        {"count": 5, "include": [1], "method": "k-means"},
        {"count": 3, "include": [0, 1], "labels": labels},
        {"count": 5, "include": [0.5]},
    ):
        with pytest.raises(fast_select.InvalidInputError):
            fast_select.select(x, n_random=1, **parameters)
    with pytest.raises(fast_select.InvalidInputError, match="differ"):
        fast_select.select_nested(x, ratios=[0.1, 0.1])
    holed = x.copy()
    holed[7] = np.nan
    with pytest.raises(fast_select.InvalidInputError, match="row 7, which holds NaN"):
        fast_select.select(holed, count=5, include=[7], nonfinite="drop")


def test_command(run, features):
    (run.folder / "in.txt").write_text("5\n7\n")
    np.save(run.folder / "out.npy", np.arange(100, 400))
    got = run(features, "--count", "20", "--include", "in.txt", "--exclude", "out.npy", "-o", "-")
    assert got.returncode == 0, got.stderr.decode()
    rows = [int(line) for line in got.stdout.split()]
    assert {5, 7} <= set(rows)
    assert max(rows) < 100
    nested = run(features, "--ratio", "0.2", "--ratio", "0.05", "--json", "--quiet")
    assert nested.returncode == 0, nested.stderr.decode()
    large, small = (np.load(run.folder / f"features.selected-{r}.npy") for r in ("0.2", "0.05"))
    assert small.size == 20
    assert np.isin(small, large).all()
    assert (run.folder / "features.report-0.05.json").exists()
    again = run(features, "--ratio", "0.2", "--ratio", "0.05", "--quiet")
    assert again.returncode == 2
    assert b"--force" in again.stderr
    assert run(features, "--ratio", "0.2", "--ratio", "0.1", "-o", "-").returncode == 2


def test_methods_that_ignore_constraints_refuse_them(data):
    x, _ = data
    for method in ("paper", "k-means", "k-center", "herding"):
        with pytest.raises(fast_select.InvalidInputError, match="several ratios"):
            fast_select.select_nested(x, ratios=[0.3, 0.1], method=method)
        with pytest.raises(fast_select.InvalidInputError, match="include or exclude"):
            fast_select.select(x, count=9, exclude=[0], method=method)
