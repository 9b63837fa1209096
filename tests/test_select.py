"""Selections: how many, which, how good."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fast_select


@given(
    st.integers(1, 150),
    st.integers(1, 5),
    st.floats(0, 1),
    st.sampled_from(["fast", "paper"]),
    st.sampled_from([None, 1, 3]),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None)
def test_exactly_m_distinct_rows_of_any_shape(n, d, share, method, n_classes, seed):
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=(n, d)), 1)  # duplicates included
    labels = None if n_classes is None else rng.integers(0, n_classes, size=n)
    least = 1 if labels is None else len(np.unique(labels))
    m = least + int(share * (n - least))
    got = fast_select.select(
        x, count=m, labels=labels, method=method, max_steps=10, n_random=1, n_neighbors=8
    )
    assert got.indices.dtype == np.int64
    assert got.indices.size == m
    assert (np.diff(got.indices) > 0).all()
    assert got.indices[0] >= 0
    assert got.indices[-1] < n


@pytest.mark.parametrize("space", ["features", "joint", "spectral"])
@pytest.mark.parametrize("labelled", [False, True])
def test_threads_do_not_matter(rng, space, labelled):
    x = rng.normal(size=(1500, 10)).astype(np.float32)
    labels = rng.integers(0, 3, size=1500) if labelled else None
    got = [
        fast_select.select(
            x,
            ratio=0.1,
            labels=labels,
            threads=t,
            method="paper",
            space=space,
            max_steps=40,
            n_random=2,
        )
        for t in (1, 2, 4)
    ]
    for other in got[1:]:
        np.testing.assert_array_equal(got[0].indices, other.indices)
        assert got[0].report["quality"] == other.report["quality"]


@pytest.mark.parametrize("block_rows", [200, 1000])
def test_threads_do_not_matter_in_several_blocks(rng, block_rows):
    """Five blocks stand for themselves, two dozen are held together."""
    x = rng.normal(size=(5000, 6)).astype(np.float32)
    got = [
        fast_select.select(x, count=1600, threads=t, block_rows=block_rows, n_random=2).indices
        for t in (1, 2, 4)
    ]
    for other in got[1:]:
        np.testing.assert_array_equal(got[0], other)


def test_many_classes_are_the_whole_together(rng):
    """By themselves they are worse than stratified random rows: each leaves the same error."""
    labels = np.repeat(np.arange(300), 40)
    x = rng.normal(size=(300, 32))[labels] + 0.5 * rng.normal(size=(12_000, 32))
    quality = fast_select.select(x, ratio=0.1, labels=labels, n_random=5).report["quality"]
    assert quality["selection"]["cfd_m"] < 0.7 * quality["stratified"]["cfd_m"]["mean"]


def test_tight_classes_far_apart_keep_their_digits(rng):
    """As good as one of them by itself: products are taken about each class's own centre."""
    labels = np.repeat(np.arange(5), 400)
    x = 1e-4 * rng.normal(size=(2000, 16)) + rng.normal(size=(5, 16))[labels]
    got = fast_select.select(x, ratio=0.1, labels=labels, n_random=1).indices
    own = x[labels == 2]
    part = got[labels[got] == 2] - 800
    assert share_of_random(own, part) < 0.4


def share_of_random(x, rows):
    """CF distance of `rows` over that of random ones."""
    quality = fast_select.evaluate(x, rows, n_random=20)["quality"]
    return quality["selection"]["cfd_m"] / quality["random"]["cfd_m"]["mean"]


def test_classes_are_not_bent_to_make_up_for_quotas_asked_for(rng):
    """Two classes give half of what is their share, so that small ones give more."""
    sizes = [4000] * 2 + [100] * 28
    labels = np.repeat(np.arange(30), sizes)
    x = rng.normal(size=(30, 8))[labels] + 0.8 * rng.normal(size=(len(labels), 8))
    picked = fast_select.select(x, ratio=0.2, labels=labels, min_per_class=50, n_random=1).indices
    for label, first in ((0, 0), (1, 4000), (9, 8700)):
        own = labels == label
        assert share_of_random(x[own], picked[labels[picked] == label] - first) < 0.6


def test_seeds_do_matter(rng):
    x = rng.normal(size=(300, 4))
    first, second = (fast_select.select(x, count=20, seed=s, n_random=1).indices for s in (0, 1))
    assert not np.array_equal(first, second)


def test_memory_order_and_type_do_not_matter(rng):
    x = rng.integers(0, 200, size=(400, 12)).astype(np.uint8)
    first = fast_select.select(x, count=30, n_random=1).indices
    for other in (np.asfortranarray(x), x.astype(np.float64), np.repeat(x, 2, axis=0)[::2]):
        np.testing.assert_array_equal(
            fast_select.select(other, count=30, n_random=1).indices, first
        )


def test_classes_give_their_shares(rng):
    labels = np.repeat(["a", "b", "c"], [600, 300, 100])
    x = rng.normal(size=(1000, 4))
    got = fast_select.select(x, ratio=0.1, labels=labels, n_random=2)
    counts = {c["label"]: c["selected"] for c in got.report["selection"]["classes"]}
    assert counts == {"a": 60, "b": 30, "c": 10}
    least = fast_select.select(x, ratio=0.1, labels=labels, min_per_class=20, n_random=2)
    assert [c["selected"] for c in least.report["selection"]["classes"]] == [53, 27, 20]
    with pytest.raises(fast_select.InvalidInputError, match="less than the 120 rows"):
        fast_select.select(x, ratio=0.1, labels=labels, min_per_class=40)
    equal = fast_select.select(x, count=90, labels=labels, balance="equal", n_random=2)
    assert [c["selected"] for c in equal.report["selection"]["classes"]] == [30, 30, 30]


@pytest.mark.parametrize("name", ["usps", "optdigits", "letter"])
@pytest.mark.parametrize("method", ["fast", "paper"])
def test_better_than_stratified_random_on_real_data(shared_data, name, method):
    with np.load(shared_data / f"{name}.npz") as data:
        x, y = data["x"], data["y"]
    got = fast_select.select(x, ratio=0.01, labels=y, method=method)
    quality = got.report["quality"]
    assert quality["selection"]["cfd_m"] <= 0.75 * quality["stratified"]["cfd_m"]["mean"]
    assert not got.report["verdict"].startswith("Worse")


def test_all_rows_are_perfect(rng):
    x = rng.normal(size=(200, 3))
    got = fast_select.select(x, ratio=1.0, n_random=2)
    assert got.indices.tolist() == list(range(200))
    assert got.report["quality"]["selection"]["cfd_m"] == pytest.approx(0, abs=1e-6)


def test_left_out_rows_are_never_selected(rng):
    x = rng.normal(size=(300, 3))
    x[::10] = np.nan
    with pytest.raises(fast_select.InvalidInputError, match="30 rows hold NaN"):
        fast_select.select(x, count=20)
    got = fast_select.select(x, count=20, nonfinite="drop", n_random=1)
    assert (got.indices % 10 != 0).all()


def test_refusals(rng):
    x = rng.normal(size=(50, 3))
    for arguments in (
        {},
        {"ratio": 0.1, "count": 5},
        {"ratio": 0},
        {"ratio": float("nan")},
        {"ratio": 1.5},
        {"count": 0},
        {"count": 51},
        {"count": 5, "labels": np.zeros(49)},
        {"count": 5, "labels": np.full(50, np.nan)},
        {"count": 5, "labels": np.arange(50)},
        {"count": 5, "threads": 0},
        {"count": 5, "learning_rate": -1.0},
        {"count": 5, "learning_rate": float("nan")},
        {"count": 5, "n_neighbors": 0},
        {"count": 5, "space": "other"},
        {"count": 5, "unknown": 1},
        {"count": 5, "seed": -1},
        {"count": 5, "n_random": -1},
        {"count": 2.5},
        {"count": 5, "max_memory": 2**40, "learning_rate": -1.0},
        {"count": 5, "threads": 10**9},
        {"count": 5, "labels": np.arange(50), "max_memory": 2**40},
    ):
        with pytest.raises(fast_select.InvalidInputError):
            fast_select.select(x, **arguments)


def test_a_step_too_large_is_named(rng):
    x = rng.normal(size=(600, 4))
    with pytest.raises(fast_select.InvalidInputError, match=r"learning_rate.* diverge"):
        fast_select.select(x, count=50, method="paper", learning_rate=1e30)


@pytest.mark.parametrize("space", ["features", "joint", "spectral"])
@pytest.mark.parametrize("learning_rate", [0.01, 1.0, 100.0])
def test_a_descent_never_ends_farther_than_it_began(rng, space, learning_rate):
    x = rng.normal(size=(3000, 8)).astype(np.float32) * np.linspace(0.3, 1, 8, dtype=np.float32)
    report = fast_select.select(
        x, ratio=0.2, method="paper", space=space, learning_rate=learning_rate, n_random=1
    ).report
    (group,) = report["selection"]["groups"]
    start, end, picked = (group[f"held_out_cfd_m_{at}"] for at in ("start", "end", "picked"))
    assert end <= start
    assert picked <= start
    assert bool(report["selection"]["notes"]) == (picked == start)
    if learning_rate == 1.0:
        assert picked < 0.8 * start


def test_a_descent_starts_with_each_piece_s_share(rng):
    piece = np.repeat([0, 1], 500)
    x = rng.normal(size=(1000, 4)) + 20 * piece[:, None]
    for seed in range(3):
        got = fast_select.select(
            x, count=100, method="paper", space="features", max_steps=0, seed=seed, n_random=1
        )
        assert abs(np.count_nonzero(piece[got.indices]) - 50) <= 1


@pytest.mark.parametrize("space", ["features", "spectral"])
def test_descended_rows_are_nearer_to_the_whole_than_random_ones(rng, space):
    x = rng.normal(size=(4000, 3)) + 3 * rng.integers(0, 4, size=(4000, 1))
    quality = fast_select.select(x, ratio=0.1, method="paper", space=space).report["quality"]
    assert quality["selection"]["cfd_m"] < 0.6 * quality["random"]["cfd_m"]["mean"]


def test_one_row_far_out_leaves_the_figures_sound(rng):
    x = rng.normal(size=(300, 4))
    for far in (1e4, 1e8, 1e12):
        x[7] = far
        quality = fast_select.select(x, count=30).report["quality"]
        assert 0 <= quality["selection"]["cfd_m"] < 31
        assert max(quality["random"]["cfd_m"]["values"]) < 31


def test_stratified_draws_have_the_selections_class_counts(rng):
    labels = np.repeat([0, 1], [900, 100])
    x = rng.normal(size=(1000, 3)) + 5 * labels[:, None]
    report = fast_select.select(x, count=100, labels=labels, balance="equal").report
    assert not report["verdict"].startswith("Worse")
    drawn = {kind: report["quality"][kind]["cfd_m"]["mean"] for kind in ("random", "stratified")}
    assert drawn["stratified"] > 5 * drawn["random"]


def test_few_picks_of_many_rows_come_from_a_sample_and_the_report_says_so(rng):
    x = rng.normal(size=(3000, 2))
    groups = [
        fast_select.select(x, count=count, block_rows=500, n_random=1).report["selection"]["groups"]
        for count in (60, 600)
    ]
    assert [group[0]["exchanged_rows"] for group in groups] == [500, 3000]


def test_progress_is_told_and_may_stop_the_run(rng):
    x = rng.normal(size=(500, 4))
    stages = []
    told = {"count": 50, "n_random": 1, "progress": lambda s, d, t: stages.append((s, d <= t))}
    fast_select.select(x, method="paper", **told)
    expected = "prepare neighbors graph spectral frequencies optimize decode quality"
    assert [stage for stage, _ in dict.fromkeys(stages)] == expected.split()
    stages.clear()
    fast_select.select(x, **told)
    assert [stage for stage, _ in dict.fromkeys(stages)] == ["prepare", "exchange", "quality"]
    assert all(within for _, within in stages)

    def stop(stage, done, total):
        if stage == "exchange":
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        fast_select.select(x, count=50, progress=stop)


@pytest.mark.parametrize("n_random", [0, 2, 20])
@pytest.mark.parametrize("labelled", [False, True])
def test_a_selection_is_shown_in_two_lines(rng, n_random, labelled):
    labels = np.arange(1200) % 2 if labelled else None
    got = fast_select.select(
        rng.normal(size=(1200, 3)), count=60, labels=labels, rank=True, n_random=n_random
    )
    assert str(got) == f"60 of 1,200 rows\n{got.report['verdict']}"
    assert repr(got) == "Selection(60 of 1,200 rows)"


def test_a_selection_of_the_only_row_is_shown():
    assert str(fast_select.select([[1.0]], count=1)).startswith("1 of 1 row\n")
