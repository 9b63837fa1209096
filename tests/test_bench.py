"""The scripts of tests/bench start, and the plan's script has the core's formulas."""

import subprocess
import sys
from pathlib import Path

import pytest

from fast_select import _core

BENCH = Path(__file__).parent / "bench"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["ablation", "accuracy", "fit_plan", "scaling", "speed", "tuning", "whole"]
)
def test_scripts_say_what_they_do(name):
    command = [sys.executable, BENCH / f"{name}.py", "--help"]
    got = subprocess.run(command, capture_output=True, text=True, check=True)
    assert got.stdout.startswith("usage:")


@pytest.mark.parametrize("method", ["exchange", "fast", "paper", "k-means", "herding"])
def test_formulas_of_the_plan_are_the_core_s(monkeypatch, method):
    monkeypatch.syspath_prepend(str(BENCH))
    import fit_plan

    params = _core.Params("plan", method=method, space="joint", threads=2)
    run = fit_plan.Run(
        d=100, groups=[(40_000, 4000), (3000, 300)], values=params.values(), seconds={}
    )
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
