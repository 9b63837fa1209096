"""How many rows each pick stands for, beside every row's distance to every pick."""

import json

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import fast_select
from fast_select import _core
from oracles import prepare

N = 600


def expected(z, rows, labels=None):
    """The pick of each row: the nearest of its class, the first of several; a pick its own."""
    labels = np.zeros(len(z), dtype=int) if labels is None else labels
    picks = np.empty(len(z), dtype=np.int64)
    for label in np.unique(labels):
        of = np.flatnonzero(labels == label)
        own = rows[labels[rows] == label]
        own = own if own.size else rows
        distances = cdist(z[of].astype(float), z[own].astype(float), "sqeuclidean")
        picks[of] = own[distances.argmin(axis=1)]
    picks[rows] = rows
    return picks


def matrix(kind, rng):
    """600 rows of a kind."""
    x = rng.normal(size=(N, 5))
    if kind == "copies":
        return x[rng.integers(0, 40, N)]
    if kind == "constant":
        return np.ones((N, 3))
    if kind == "whole numbers":
        return rng.integers(0, 3, size=(N, 4)).astype(float)
    if kind == "clusters":
        return 1e-3 * x + 5 * rng.normal(size=(9, 5))[rng.integers(0, 9, N)]
    if kind == "far rows":
        x[::100] *= 1e6
    if kind == "one column":
        return x[:, :1]
    if kind == "wide":
        return rng.normal(size=(N, 200)) * 0.95 ** np.arange(200)
    return x


KINDS = ["normal", "copies", "constant", "whole numbers", "clusters", "far rows", "one column",
         "wide"]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 60, N])
@pytest.mark.parametrize("with_labels", [False, True])
def test_every_row_goes_to_its_nearest_pick(rng, kind, count, with_labels):
    x = matrix(kind, rng)
    # Five classes, one of a single row; where few are picked, classes without.
    labels = np.where(np.arange(N) == 7, 4, rng.integers(0, 4, N)) if with_labels else None
    given = {"labels": labels, "min_per_class": 0} if with_labels else {}
    got = fast_select.select(x, count=count, assign=True, n_random=0, **given)
    picks = expected(prepare(x).features, got.indices, labels)
    assert (got.assignment == picks).all()
    assert got.assignment.dtype == got.weights.dtype == np.int64
    counts = np.bincount(picks, minlength=N)
    assert (got.weights == counts[got.indices]).all()
    assert got.weights.sum() == N
    assert got.weights.min() >= 1
    own = fast_select.select(x, count=count, n_random=0, **given)
    assert (own.indices == got.indices).all()
    assert own.weights is own.assignment is None


@pytest.mark.parametrize("n,m", [(9000, 4500), (9000, 5000)])
@pytest.mark.parametrize("p", [2, 64])
def test_bounds_leave_no_nearer_pick_out(rng, n, m, p):
    """So many picks that cells and short rows take part; rows as they come and in clusters."""
    clusters = rng.normal(size=(30, p))[rng.integers(0, 30, n)] * (np.arange(n) % 2)[:, None]
    prepared = prepare(0.3 * rng.normal(size=(n, p)) * 0.8 ** np.arange(p) + clusters)
    rows = np.sort(rng.permutation(n)[:m])
    found = _core.weigh(prepared, rows, _core.Params("select"), with_assignment=True)
    assert (found["assignment"] == expected(prepared.features, rows)).all()


@pytest.mark.parametrize("method", ["fast", "random", "k-center"])
def test_include_exclude_blocks_and_methods(rng, method):
    x = matrix("normal", rng)
    given = {} if method == "k-center" else {"include": np.arange(9), "exclude": np.arange(9, 500)}
    got = fast_select.select(
        x, count=60, method=method, block_rows=100, assign=True, n_random=0, **given
    )
    assert (got.assignment == expected(prepare(x).features, got.indices)).all()


def test_rows_left_out_are_assigned_to_none(rng):
    x = matrix("normal", rng)
    x[::7, 2] = np.nan
    labels = np.arange(N) % 3
    got = fast_select.select(x, ratio=0.1, labels=labels, nonfinite="drop", assign=True, n_random=0)
    kept = np.isfinite(x).all(axis=1)
    assert (got.assignment[~kept] == -1).all()
    z = prepare(x, nonfinite="drop").features
    places = np.flatnonzero(kept)
    picks = expected(z, np.searchsorted(places, got.indices), labels[kept])
    assert (got.assignment[kept] == places[picks]).all()
    assert got.weights.sum() == kept.sum()


def test_threads_do_not_matter(rng):
    x = rng.normal(size=(20_000, 6))
    prepared = prepare(x)
    rows = np.sort(rng.permutation(20_000)[:5000])
    one, two = (
        _core.weigh(prepared, rows, _core.Params("select", threads=t), with_assignment=True)
        for t in (1, 2)
    )
    assert (one["assignment"] == two["assignment"]).all()
    assert (one["weights"] == two["weights"]).all()


def test_several_ratios_have_weights_of_their_own(rng):
    x = matrix("normal", rng)
    found = fast_select.select_nested(x, ratios=[0.02, 0.2], weights="nearest", n_random=0)
    for selection in found:
        picks = expected(prepare(x).features, selection.indices)
        assert (selection.weights == np.bincount(picks, minlength=N)[selection.indices]).all()
        assert selection.assignment is None
        assert list(selection.columns()) == ["index", "weight"]


def test_the_report_tells_what_weights_do(rng):
    """Effective size by hand, and the CF distance with weights beside a pick that holds copies."""
    x = rng.normal(size=(400, 3))
    stages = []
    got = fast_select.select(
        x, count=20, weights="nearest", n_random=0, progress=lambda s, *_: stages.append(s)
    )
    assert list(dict.fromkeys(stages)) == ["prepare", "exchange", "weights", "quality"]
    figures, w = got.report["weights"], got.weights
    assert (figures["min"], figures["max"]) == (w.min(), w.max())
    assert figures["median"] == np.median(w)
    assert figures["effective_sample_size"] == pytest.approx(400**2 / (w**2).sum())
    own = got.report["quality"]["selection"]
    assert figures["unweighted"] == {name: own[name] for name in figures["weighted"]}
    assert "weights" in [stage["name"] for stage in got.report["stages"]]
    # As many copies as rows: the same distance, over 20 rows instead of 400.
    prepared = prepare(x)
    params = _core.Params("select", n_random=0)
    judged = _core.evaluate(prepared, got.indices, params, weights=np.full(20, 20))
    for name, value in judged["weighted"].items():
        assert value == pytest.approx(judged["selection"][name], rel=1e-4)
    plain = fast_select.select(x, count=20, n_random=0)
    assert "weights" not in plain.report
    assert "weighted" not in plain.report["quality"]


def test_weighted_distance_is_of_the_weighted_mean(rng):
    """Rows of which each stands for its copies: with weights the whole itself."""
    distinct = rng.normal(size=(30, 4))
    x = np.r_[distinct, distinct[rng.integers(0, 30, 270)]]
    labels = np.repeat([0, 1], [30, 270])
    got = fast_select.select(x, count=30, include=np.arange(30), weights="nearest", n_random=0)
    assert labels[got.indices].max() == 0
    assert (
        got.report["weights"]["weighted"]["cfd_m"]
        < 1e-9
        < got.report["weights"]["unweighted"]["cfd_m"]
    )


@pytest.mark.parametrize(
    "weights,fact",
    [([1, -1, 1], "below 0"), ([0, 0, 0], "are all 0"), ([1, 1], "2"), ([1] * 4, "4")],
)
def test_weights_that_are_none_are_refused(rng, weights, fact):
    prepared = prepare(rng.normal(size=(50, 2)))
    with pytest.raises(_core.Refused) as refused:
        _core.evaluate(prepared, np.arange(3), _core.Params("select"), weights=np.array(weights))
    assert refused.value.args[0] == "weights"
    assert fact in refused.value.args[1]


def test_picks_that_are_not_there_are_refused(rng):
    x = rng.normal(size=(20, 2))
    x[3] = np.nan
    prepared, params = prepare(x, nonfinite="drop"), _core.Params("select")
    for rows in ([], [3], [20], [-1]):
        with pytest.raises(_core.Refused, match="indices"):
            _core.weigh(prepared, np.array(rows, dtype=np.int64), params)


def test_the_plan_has_the_stage(rng):
    x = rng.normal(size=(2000, 5))
    of = {
        kind: [s["name"] for s in fast_select.plan(x, ratio=0.1, weights=kind)["stages"]]
        for kind in ("none", "nearest")
    }
    assert of["none"] == ["prepare", "exchange", "quality"]
    assert of["nearest"] == ["prepare", "exchange", "weights", "quality"]


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.csv", "a.txt"])
def test_the_pick_of_each_row_is_written_by_suffix(run, features, name):
    done = run(features, "--ratio", "0.1", "--assign", name, "-o", "rows.csv", "--random", "0")
    assert done.returncode == 0, done.stderr
    x = np.load(features)
    got = fast_select.select(x, ratio=0.1, assign=True, n_random=0)
    path = run.folder / name
    if name.endswith(".npy"):
        written = np.load(path)
    elif name.endswith(".npz"):
        written = np.load(path)["pick"]
    elif name.endswith(".csv"):
        assert path.read_text().startswith("row,pick\n0,")
        table = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.int64)
        assert (table[:, 0] == np.arange(400)).all()
        written = table[:, 1]
    else:
        written = np.loadtxt(path, dtype=np.int64)
    assert (written == got.assignment).all()
    table = np.loadtxt(run.folder / "rows.csv", delimiter=",", skiprows=1, dtype=np.int64)
    assert (run.folder / "rows.csv").read_text().startswith("index,weight\n")
    assert (table == np.c_[got.indices, got.weights]).all()


def test_several_ratios_get_names_and_a_line(run, features):
    done = run(features, "--ratio", "0.1", "--ratio", "0.3", "--assign", "a.npy", "--random", "0")
    assert done.returncode == 0, done.stderr
    for ratio in (0.1, 0.3):
        picks = np.load(run.folder / f"a-{ratio}.npy")
        rows = np.load(run.folder / f"features.selected-{ratio}.npy")
        assert np.isin(picks, rows).all()
        report = json.loads((run.folder / f"features.report-{ratio}.json").read_text())
        assert report["weights"]["min"] >= 1
        assert f"Wrote the pick of each row to a-{ratio}.npy" in done.stderr.decode()
    assert b"-o rows.csv" in done.stderr
    assert b"effective sample size" in done.stderr


@pytest.mark.parametrize(
    "given,fact",
    [
        (["--weights", "matched"], b"'matched' is not one of 'none', 'nearest'"),
        (["--assign", "a.parq"], b"a.parq: has the suffix '.parq'"),
        (["--assign", ""], b"--assign: is an empty name"),
        (["--assign", "-"], b"--assign: '-' is no file"),
        (["--assign", "nowhere/a.npy"], b"does not exist"),
        (["--assign", "rows.npy", "-o", "rows.npy"], b"rows.npy: would take two results"),
        (["--assign", "features.report.json", "--force"], b"has the suffix"),
        (["--assign", "there.npy"], b"there.npy: exists. Use --force"),
        (["--assign", "../features.npy", "--force"], b"../features.npy: is an input"),
        (["--assign", "a.npy", "--assign", "b.npy"], b"--assign: is given twice"),
        (["--ratio", "0.2", "--assign", "/dev/null"], b"/dev/null: has no place for several"),
    ],
)
def test_refusals_leave_nothing(run, features, given, fact):
    (run.folder / "there.npy").write_bytes(b"mine")
    done = run("../features.npy", "--ratio", "0.1", *given)
    assert done.returncode == 2
    assert fact in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert [path.name for path in run.folder.iterdir()] == ["there.npy"]
    assert (run.folder / "there.npy").read_bytes() == b"mine"


def test_what_is_no_file_gets_a_line_a_row(run, features):
    done = run(features, "--count", "4", "--assign", "/dev/stdout", "-o", "rows.txt", "--quiet")
    assert done.returncode == 0
    picks = np.array(done.stdout.split(), dtype=np.int64)
    assert (np.unique(picks) == np.loadtxt(run.folder / "rows.txt", dtype=np.int64)).all()
    assert picks.size == 400


def test_ctrl_c_while_rows_are_assigned(rng):
    """What the progress raises stops the stage at once."""
    x = rng.normal(size=(30_000, 20))

    def stop(stage, done, total):
        if stage == "weights":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fast_select.select(x, ratio=0.3, method="random", assign=True, n_random=0, progress=stop)
