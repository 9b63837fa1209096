"""The paper's ablation: its method with and without each of its parts, as tables in markdown.

    python tests/bench/ablation.py                            # four data sets, 1 and 10 %
    python tests/bench/ablation.py --sets letter --ratios 0.05

`--method paper` with labels, in features unless a line says otherwise; below it, the distance that
the descent lowers replaced by others (`losses.py`), all in one plain loop so that nothing else
differs.

* gain: mean accuracy of 1-NN, logistic regression, RBF-SVM and random forest, in points above that
  of a stratified random pick; ± standard error over seeds of the mean over the data sets.
* CF: CF distance on unseen frequencies over stratified random's.
"""

from __future__ import annotations

import argparse
import os
import warnings
from pathlib import Path
from typing import Any

# One thread for the linear algebra, set before numpy starts its pool.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
from common import DATA, load, mean_and_error
from losses import LOSSES, matched_by

import fast_select
from fast_select import _core

SETS = ("usps", "letter", "optdigits", "pendigits")
RATIOS = (0.01, 0.1)
BASE = "stratified"

VARIANTS: dict[str, dict[str, Any]] = {
    "all of it": {},
    "without L_div": {"lambda_div": 0.0},
    "without L_match": {"lambda_match": 0.0},
    "without L_graph": {"lambda_graph": 0.0},
    "without the phase term": {"lambda_phase": 0.0},
    "all frequencies at once": {"schedule": "all"},
    "L_CF alone": {
        "lambda_div": 0.0,
        "lambda_match": 0.0,
        "lambda_graph": 0.0,
        "lambda_phase": 0.0,
        "schedule": "all",
    },
    "spectral space": {"space": "spectral"},
    "spectral space, without L_graph": {"space": "spectral", "lambda_graph": 0.0},
    "joint space": {"space": "joint"},
}


def variant(options: dict[str, Any]) -> Any:
    """The paper's method with these options."""

    def pick(prepared: Any, count: int, labels: Any, seed: int) -> np.ndarray:
        asked = {"method": "paper", "space": "features", "seed": seed, "threads": 1, **options}
        params = _core.Params("select", **asked)
        return _core.select(prepared, count, params, labels=labels)["indices"]

    return pick


METHODS = {name: variant(options) for name, options in VARIANTS.items()}
METHODS |= {f"plain loop, {name}": matched_by(loss) for name, loss in LOSSES.items()}


def runs_of(folder: Path, name: str, ratio: float, seeds: range) -> dict[str, list[dict]]:
    """Runs by method, in the order of the seeds."""
    x, y, x_test, y_test = load(folder, name)
    found = fast_select.compare(
        x,
        y,
        ratios=[ratio],
        test=(x_test, y_test),
        methods=[BASE],
        extra_methods=METHODS,
        seeds=seeds,
        threads=1,
    )["runs"]
    by_method: dict[str, list[dict]] = {}
    for run in found:
        by_method.setdefault(run["method"], []).append(run)
    return by_method


def figures(runs: dict[str, list[dict]], method: str) -> tuple[np.ndarray, float]:
    """Gain of each seed, and the CF distance over the baseline's."""

    def accuracy(name: str) -> np.ndarray:
        return np.array([np.mean(list(run["accuracy"].values())) for run in runs[name]])

    def distance(name: str) -> float:
        return float(np.mean([run["cfd_m"] for run in runs[name]]))

    return accuracy(method) - accuracy(BASE), distance(method) / distance(BASE)


def row(method: str, columns: list[list[tuple[np.ndarray, float]]]) -> str:
    """A line of a table; `columns`: for each the figures of the sets that it averages."""
    cells = []
    for parts in columns:
        mean, error = mean_and_error(np.mean([gains for gains, _ in parts], axis=0))
        cells += [f"{mean:+.2f} ± {error:.2f}", f"{np.mean([cf for _, cf in parts]):.2f}"]
    return f"| {method} | " + " | ".join(cells) + " |"


def head(first: str, names: list[str]) -> str:
    """The first two lines of a table."""
    cells = [f"{kind} {name}" for name in names for kind in ("gain", "CF")]
    return f"| {first} | " + " | ".join(cells) + " |\n" + "|---" * (1 + len(cells)) + "|"


def main() -> None:
    """Measure and print: a table for each ratio and set as it is done, then their means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--ratios", type=float, nargs="+", default=RATIOS)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    done: dict[float, list[dict[str, list[dict]]]] = {}
    for ratio in options.ratios:
        for name in options.sets:
            runs = runs_of(options.data, name, ratio, range(options.seeds))
            done.setdefault(ratio, []).append(runs)
            print(head(name, [f"{ratio:.0%}"]))
            for method in METHODS:
                print(row(method, [[figures(runs, method)]]))
            print(flush=True)
    print(head(f"mean of {', '.join(options.sets)}", [f"{ratio:.0%}" for ratio in done]))
    for method in METHODS:
        columns = [[figures(runs, method) for runs in parts] for parts in done.values()]
        print(row(method, columns))


if __name__ == "__main__":
    main()
