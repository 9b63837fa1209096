"""The scripts of tests/bench start, and the plan's script has the core's formulas."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fast_select import _core

BENCH = Path(__file__).parent / "bench"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "ablation",
        "accuracy",
        "assigning",
        "fit_plan",
        "scaling",
        "simulate",
        "speed",
        "tuning",
        "weights",
        "whole",
    ],
)
def test_scripts_say_what_they_do(name):
    command = [sys.executable, BENCH / f"{name}.py", "--help"]
    got = subprocess.run(command, capture_output=True, text=True, check=True)
    assert got.stdout.startswith("usage:")


@pytest.mark.parametrize("method", ["fast", "paper", "k-means", "herding"])
@pytest.mark.parametrize("n,columns", [(40_000, 100), (400_000, 20)])
@pytest.mark.parametrize("options", [{}, {"n_random": 0, "rank": True, "weights": "nearest"}])
def test_formulas_of_the_plan_are_the_core_s(monkeypatch, method, n, columns, options):
    monkeypatch.syspath_prepend(str(BENCH))
    import fit_plan

    options = {"method": method, "space": "joint", "threads": 2, **options}
    if method != "fast":
        options.pop("rank", None)
    params = _core.Params("plan", **options)
    groups = [(n, n // 10), (3000, 300)]
    run = fit_plan.Run(d=columns, groups=groups, values=params.values(), seconds={})
    fit_plan.check_formulas(run, params)


def run_of(method, seed, accuracy):
    """A run of `accuracy.py` on an invented data set."""
    where = {"data": "made", "use_labels": True, "ratio": 0.01, "method": method, "seed": seed}
    figures = {"cfd_m": 1.0, "cell_cfd_m": 1.0, "select_s": 0.5}
    return (
        where | figures | {"accuracy": dict.fromkeys(["1nn", "logreg", "svm", "forest"], accuracy)}
    )


def test_page_begins_with_losses(monkeypatch):
    """Differences of 3, 4 and 5 points: 4 ± 4.303 / sqrt(3), by Student's t of two degrees."""
    monkeypatch.syspath_prepend(str(BENCH))
    import accuracy_page

    runs = [run_of("stratified", seed, 50.0) for seed in range(3)]
    runs += [run_of(accuracy_page.DEFAULT, seed, 60.0) for seed in range(3)]
    runs += [run_of("FasterPAM", seed, 63.0 + seed) for seed in range(3)]
    runs += [run_of("twinning", 1, 55.0)]
    page = accuracy_page.page(runs, 12_000)
    first = page.index("## ")
    assert page[first:].startswith("## Where the default loses")
    loss = "* made at 1%, with labels: FasterPAM is ahead by +4.00 [+1.52, +6.48]."
    assert first < page.index(loss) < page.index("## The default beside each rival")
    assert "| FasterPAM | -4.00 [-6.48, -1.52], 0 of 1 |" in page
    assert "twinning is ahead" not in page


def test_expected_distance_of_a_stratified_pick(monkeypatch):
    """The closed form beside the mean of 3,000 draws; uneven quotas, one of them a whole class."""
    monkeypatch.syspath_prepend(str(BENCH))
    import whole

    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat([0, 1, 2], [40, 15, 5]))
    x = (rng.normal(size=(3, 4))[labels] + 0.5 * rng.normal(size=(60, 4))).astype(np.float32)
    of, quotas = whole.Whole(x, labels), np.array([3, 6, 5])
    phi = np.exp(1j * (x.astype(float) @ of.freqs.T.astype(float)))
    assert np.allclose(of.all, phi.mean(axis=0), atol=1e-5)
    drawn = np.zeros(len(of.freqs))
    for _ in range(3000):
        picks = [rng.permutation(np.flatnonzero(labels == c))[:q] for c, q in enumerate(quotas)]
        drawn += np.abs(phi[np.concatenate(picks)].mean(axis=0) - phi.mean(axis=0)) ** 2 / 3000
    assert of.expected(quotas) == pytest.approx(drawn, rel=0.15, abs=1e-4)


def test_rivals_take_what_a_stratified_pick_takes(monkeypatch):
    """And one that draws nothing is asked once for all seeds."""
    monkeypatch.syspath_prepend(str(BENCH))
    import rivals

    labels = np.repeat([0, 1, 2], [100, 60, 3])
    x = np.random.default_rng(0).normal(size=(163, 3)) + labels[:, None]
    prepared = _core.prepare(x, _core.Params("select"))
    stratified = _core.select(prepared, 20, _core.Params("select", method="random"), labels=labels)
    asked = []

    def last_rows(z, quota, seed):
        asked.append(seed)
        return np.arange(len(z))[-quota:]

    rival = rivals.Rival("", last_rows, draws=False)
    rows = [rival(prepared, 20, labels, seed) for seed in range(3)]
    counts = np.bincount(labels[stratified["indices"]])
    expected = [
        end - 1 - i
        for end, count in zip((100, 160, 163), counts, strict=True)
        for i in range(count)
    ]
    assert sorted(expected) == rows[0].tolist() == rows[2].tolist()
    assert asked == [0, 0, 0]
    assert rival(prepared, 20, None, 0).tolist() == list(range(143, 163))
    with pytest.raises(ValueError, match="1 different rows where 2 are asked for"):
        rivals.checked(np.array([7, 7]), 2)


def test_matched_weights_minimise_the_distance(monkeypatch):
    """Its gradient by finite differences; none of the weights can rise at another's cost."""
    monkeypatch.syspath_prepend(str(BENCH))
    import weights

    rng = np.random.default_rng(0)
    rows = rng.normal(size=(80, 3))
    picks, radii = rows[:9], weights.KERNELS["matched"]
    w = weights.matched_weights(rows, picks, radii)
    assert w.sum() == pytest.approx(80)
    assert (w >= 0).all()
    step = 1e-4

    def slope(i):
        ahead, back = (w + sign * step * np.eye(9)[i] for sign in (1, -1))
        return (objective(ahead) - objective(back)) / (2 * step)

    def objective(w):
        own = w @ weights.kernel(picks, picks, radii) @ w / 80**2
        return own - 2 * w @ weights.kernel(picks, rows, radii).mean(axis=1) / 80

    slopes = np.array([slope(i) for i in range(9)])
    least = slopes.min()
    assert (np.abs(slopes[w > 1e-6] - least) < 1e-6).all()
    assert (
        objective(w)
        < objective(weights.nearest_weights(rows, picks))
        < objective(np.eye(9)[0] * 80)
    )
