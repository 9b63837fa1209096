"""The scripts of tests/bench start, and the plan's script has the core's formulas."""

import subprocess
import sys
from pathlib import Path

import pytest

from fast_select import _core

BENCH = Path(__file__).parent / "bench"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ablation", "fit_plan", "scaling", "speed", "tuning", "whole"])
def test_scripts_say_what_they_do(name):
    """The others need packages of the extra `bench`."""
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
