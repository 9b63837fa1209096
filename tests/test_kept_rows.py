"""Rows left out for NaN or infinity count for nothing: not in ratios, classes, plans or nesting."""

import json

import numpy as np
import pytest

import fast_select


@pytest.fixture(scope="module")
def data():
    """300 rows, 100 of them finite, of the first two of three classes."""
    x = np.random.default_rng(2).normal(size=(300, 4))
    x[100:, 1] = np.nan
    x[200:, 2] = np.inf
    labels = np.array(["a"] * 80 + ["b"] * 120 + ["c"] * 100)
    return x, labels


def same_rows(first, second):
    """Whether two selections are the same, the second made of the rows that are kept alone."""
    assert first.indices.tolist() == second.indices.tolist()


@pytest.mark.parametrize("ratio,count", [(0.5, 50), (0.01, 1), (1.0, 100), (0.125, 13)])
@pytest.mark.parametrize("method", ["fast", "random", "k-center"])
def test_a_ratio_is_of_the_rows_that_are_kept(data, ratio, count, method):
    x, _ = data
    options = {"ratio": ratio, "n_random": 2, "method": method}
    got = fast_select.select(x, nonfinite="drop", **options)
    assert got.indices.size == count
    assert got.indices.max() < 100
    same_rows(got, fast_select.select(x[:100], **options))


def test_a_count_is_refused_beyond_them(data):
    x, _ = data
    assert fast_select.select(x, count=100, nonfinite="drop", n_random=1).indices.size == 100
    for count in (101, 300, 301):
        with pytest.raises(fast_select.InvalidInputError, match="rows that can be selected"):
            fast_select.select(x, count=count, nonfinite="drop", n_random=1)
        with pytest.raises(fast_select.InvalidInputError, match="rows that can be selected"):
            fast_select.plan(x, count=count, nonfinite="drop")


def test_nested_ratios(data):
    x, _ = data
    large, small = fast_select.select_nested(x, ratios=[0.5, 0.1], nonfinite="drop", n_random=1)
    assert (large.indices.size, small.indices.size) == (50, 10)
    assert np.isin(small.indices, large.indices).all()


@pytest.mark.parametrize(
    "options,expected",
    [
        ({"ratio": 0.5}, [40, 10, 0]),
        ({"ratio": 0.5, "balance": "equal"}, [30, 20, 0]),
        ({"count": 4, "min_per_class": 2}, [2, 2, 0]),
        ({"count": 30, "min_per_class": 25}, None),
    ],
)
def test_classes_are_counted_without_them(data, options, expected):
    x, labels = data
    options = {**options, "labels": labels, "nonfinite": "drop"}
    if expected is None:
        with pytest.raises(fast_select.InvalidInputError, match="45 rows that 2 classes"):
            fast_select.select(x, **options)
        return
    report = fast_select.select(x, n_random=2, **options).report
    classes = report["selection"]["classes"]
    assert [entry["n_rows"] for entry in classes] == [80, 20, 0]
    assert [entry["selected"] for entry in classes] == expected
    assert report["selection"]["notes"] == ["All rows of 1 class hold NaN or infinity: left out."]
    planned = fast_select.plan(x, **options)
    assert planned["count"] == sum(expected)


def test_evaluate_counts_them_as_well(data):
    x, labels = data
    report = fast_select.evaluate(x, np.arange(0, 100, 5), labels=labels, nonfinite="drop")
    assert [c["n_rows"] for c in report["selection"]["classes"]] == [80, 20, 0]
    assert [c["selected"] for c in report["selection"]["classes"]] == [16, 4, 0]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_a_plan_is_of_the_rows_that_are_kept(data, dtype):
    x, labels = data
    large = np.asfortranarray(np.tile(x, (20, 1)).astype(dtype))
    kept = large[np.isfinite(large).all(axis=1)]
    own = np.tile(labels, 20)[np.isfinite(large).all(axis=1)]
    for options, same in (({}, {}), ({"labels": np.tile(labels, 20)}, {"labels": own})):
        got = fast_select.plan(large, ratio=0.5, nonfinite="drop", **options)
        expected = fast_select.plan(kept, ratio=0.5, **same)
        assert got["count"] == expected["count"] == 1000
        sizes = [[stage["bytes"] for stage in each["stages"]] for each in (got, expected)]
        assert sizes[0] == pytest.approx(sizes[1], rel=0.02)


def test_a_memory_limit_is_of_the_rows_that_are_kept(data):
    x, _ = data
    got = fast_select.select(x, ratio=0.5, nonfinite="drop", max_memory=1 << 40, n_random=1)
    same_rows(got, fast_select.select(x[:100], ratio=0.5, n_random=1))
    assert got.report["memory"]["max_bytes"] == 1 << 40


def test_nothing_kept(data):
    x, _ = data
    for call in (fast_select.select, fast_select.plan):
        with pytest.raises(fast_select.InvalidInputError, match="in every row"):
            call(x[200:], ratio=0.5, nonfinite="drop")


def test_command(run, data):
    x, labels = data
    np.save(run.folder / "x.npy", x)
    np.save(run.folder / "y.npy", labels)
    got = run("x.npy", "--ratio", ".5", "--nonfinite", "drop", "--labels", "y.npy")
    text = got.stderr.decode()
    assert got.returncode == 0, text
    assert "Rows by class: a: 40, b: 10, c: 0" in text
    assert "200 rows with NaN or infinity left out" in text
    report = json.loads((run.folder / "x.report.json").read_text())
    assert report["selection"]["count"] == 50
    mapped = report["memory"]["mapped_input_bytes"]
    assert mapped == x.nbytes
    refused = run("x.npy", "--count", "150", "--nonfinite", "drop", "--force")
    assert refused.returncode == 2
    assert refused.stderr.decode().splitlines()[-1] == (
        "Error: --count: 150 is more than the 100 rows that can be selected."
    )
