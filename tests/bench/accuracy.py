"""Selection methods over real data sets, ratios, models and seeds: writes RESULTS.md.

    python tests/bench/accuracy.py

Needs the extras `compare` and `bench`. Selections depend on the seeds alone; times are measured on
one thread a process while `--jobs` processes run, so only their ratios mean something.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import time
import warnings
from pathlib import Path

# One thread for each process's linear algebra, set before numpy starts its pool.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
from common import DATA, MAX_ROWS, MAX_TEST, load, mean_and_error
from rivals import FacilityLocation, kernel_thinning

import fast_select
from fast_select import _core
from fast_select._compare import MODELS

HERE = Path(__file__).parent
SETS = (
    "usps", "optdigits", "pendigits", "letter", "notmnist10k", "fashion_mnist", "covtype20k",
    "banking77_lsa",
)  # fmt: skip
RATIOS = {True: (0.01, 0.02, 0.05, 0.1), False: (0.01, 0.05)}
"""By whether the methods see the labels."""
SLOW = {"facility location": FacilityLocation(), "kernel thinning": kernel_thinning}
"""Methods of other packages, which take minutes beyond some thousand rows: with labels only."""


def work(task: tuple[Path, str, bool, float, range]) -> list[dict]:
    """All methods on one data set at one ratio."""
    folder, name, use_labels, ratio, seeds = task
    warnings.filterwarnings("ignore")
    x, y, x_test, y_test = load(folder, name)
    result = fast_select.compare(
        x,
        y,
        ratios=[ratio],
        test=(x_test, y_test),
        extra_methods=SLOW if use_labels else None,
        use_labels=use_labels,
        seeds=seeds,
        threads=1,
    )
    return [{"data": name, "use_labels": use_labels, **run} for run in result["runs"]]


class Table:
    """Runs, looked up by data set, ratio, method and seed."""

    def __init__(self, runs: list[dict], *, use_labels: bool) -> None:
        self.runs = {
            (run["data"], run["ratio"], run["method"], run["seed"]): run
            for run in runs
            if run["use_labels"] == use_labels
        }
        self.base = "stratified" if use_labels else "random"
        self.ratios = sorted({key[1] for key in self.runs})
        self.methods = list(dict.fromkeys(key[2] for key in self.runs))
        self.sets = list(dict.fromkeys(key[0] for key in self.runs))
        self.seeds = sorted({key[3] for key in self.runs})

    def accuracy(self, data: str, ratio: float, method: str, seed: int) -> float:
        """Mean over the models."""
        return float(np.mean(list(self.runs[data, ratio, method, seed]["accuracy"].values())))

    def gains(self, data: str, ratio: float, method: str) -> list[float]:
        """Points above the random baseline, seed by seed."""
        return [
            self.accuracy(data, ratio, method, seed) - self.accuracy(data, ratio, self.base, seed)
            for seed in self.seeds
        ]

    def overall(self, ratio: float, method: str) -> list[float]:
        """Gains averaged over data sets, seed by seed."""
        return list(np.mean([self.gains(d, ratio, method) for d in self.sets], axis=0))

    def distance(self, ratio: float, method: str, kind: str) -> float:
        """CF distance `kind` as a share of the baseline's, averaged over data sets."""

        def mean(data: str, name: str) -> float:
            return float(np.mean([self.runs[data, ratio, name, s][kind] for s in self.seeds]))

        return float(np.mean([mean(d, method) / mean(d, self.base) for d in self.sets]))

    def seconds(self, ratio: float, method: str) -> float:
        """Seconds of a selection, median of the seeds that were computed, summed over data sets."""
        total = 0.0
        for data in self.sets:
            times = [self.runs[data, ratio, method, seed]["select_s"] for seed in self.seeds]
            # An answer that was kept from another seed takes no time.
            total += float(np.median([t for t in times if t > 0.01 * max(times)]))
        return total


def overview(table: Table) -> list[str]:
    """One line a method: gain, CF distances and time at each ratio."""
    heads = [
        f"{kind} {ratio:.0%}" for kind in ("gain", "CF", "cells", "s") for ratio in table.ratios
    ]
    lines = ["| method | " + " | ".join(heads) + " |", "|---" * (1 + len(heads)) + "|"]
    for method in table.methods:
        gains = (mean_and_error(table.overall(r, method)) for r in table.ratios)
        cells = [f"{mean:+.2f} ± {error:.2f}" for mean, error in gains]
        for kind in ("cfd_m", "cell_cfd_m"):
            cells += [f"{table.distance(ratio, method, kind):.2f}" for ratio in table.ratios]
        cells += [f"{table.seconds(ratio, method):.2f}" for ratio in table.ratios]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return lines


def by_data(table: Table, ratio: float) -> list[str]:
    """Gain of each method on each data set; the baseline's accuracy; the best in bold."""
    others = [method for method in table.methods if method != table.base]
    lines = [
        f"| data | {table.base} | " + " | ".join(others) + " |",
        "|---" * (2 + len(others)) + "|",
    ]
    for data in table.sets:
        base = np.mean([table.accuracy(data, ratio, table.base, s) for s in table.seeds])
        gains = [mean_and_error(table.gains(data, ratio, method)) for method in others]
        best = max(mean for mean, _ in gains)
        cells = [
            f"**{mean:+.1f}** ± {error:.1f}" if mean == best else f"{mean:+.1f} ± {error:.1f}"
            for mean, error in gains
        ]
        lines.append(f"| {data} | {base:.1f} | " + " | ".join(cells) + " |")
    return lines


def by_model(table: Table, ratio: float) -> list[str]:
    """Gain of each method with each model, averaged over data sets and seeds."""
    lines = ["| method | " + " | ".join(MODELS.values()) + " |", "|---" * (1 + len(MODELS)) + "|"]
    for method in table.methods:
        cells = []
        for model in MODELS:
            gains = [
                table.runs[d, ratio, method, s]["accuracy"][model]
                - table.runs[d, ratio, table.base, s]["accuracy"][model]
                for d in table.sets
                for s in table.seeds
            ]
            cells.append(f"{np.mean(gains):+.2f}")
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return lines


def losses(table: Table) -> list[str]:
    """Where the default is not the best, or below the baseline."""
    lines = []
    for ratio in table.ratios:
        for data in table.sets:
            ours = mean_and_error(table.gains(data, ratio, "exchange"))
            means = {m: mean_and_error(table.gains(data, ratio, m))[0] for m in table.methods}
            best = max(means, key=lambda method: means[method])
            if ours[0] < -2 * ours[1]:
                lines.append(f"* {data} at {ratio:.0%}: below {table.base} by {-ours[0]:.1f}.")
            if means[best] > ours[0]:
                behind = means[best] - ours[0]
                lines.append(
                    f"* {data} at {ratio:.0%}: {best} leads by {behind:.1f} (± {ours[1]:.1f})."
                )
    return lines or ["* nowhere"]


def page(runs: list[dict], seconds: float) -> str:
    """RESULTS.md."""
    info = _core.info()
    lines = [
        "# Selections judged by the models trained on them",
        "",
        f"Made by `python tests/bench/accuracy.py` in {seconds / 60:.0f} minutes: fast-select "
        f"{info['version']}, {info['instruction_set']}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}. Data: "
        f"at most {MAX_ROWS:,} training and {MAX_TEST:,} test rows of each set.",
        "",
        "* gain: mean test accuracy of 1-NN, logistic regression, RBF-SVM and random forest, in "
        "points above a stratified random pick of the same size (random, without labels); mean "
        "over data sets, ± standard error over seeds.",
        "* CF: CF distance on unseen frequencies, as a share of the same random pick's; cells: the "
        "same inside cells of two picks, at their scale.",
        "* s: seconds for a selection on one thread, median of the seeds, summed over data sets.",
        "* exchange is the default; fast: the paper's stages, then exchange; paper: those alone.",
    ]
    for use_labels in (True, False):
        table = Table(runs, use_labels=use_labels)
        if not table.runs:
            continue
        lines += ["", "## With labels" if use_labels else "## Without labels", "", *overview(table)]
        for ratio in table.ratios:
            lines += ["", f"### {ratio:.0%} by data set", "", *by_data(table, ratio)]
        lines += ["", f"### {table.ratios[0]:.0%} by model", "", *by_model(table, table.ratios[0])]
        lines += ["", "### Where the default loses", "", *losses(table)]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run every task and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, default=HERE / "RESULTS.md")
    parser.add_argument("--runs", type=Path, help="write every single run here as JSON")
    options = parser.parse_args()
    seeds = range(options.seeds)
    tasks = [
        (options.data, name, use_labels, ratio, seeds)
        for use_labels, ratios in RATIOS.items()
        for ratio in sorted(ratios, reverse=True)
        for name in options.sets
    ]
    begun, runs = time.perf_counter(), []
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for done, part in enumerate(pool.imap(work, tasks), 1):
            runs += part
            minutes = (time.perf_counter() - begun) / 60
            run = part[0]
            print(f"{done}/{len(tasks)} {run['data']} {run['ratio']} {minutes:.1f} min", flush=True)
    if options.runs:
        options.runs.write_text(json.dumps(runs))
    options.out.write_text(page(runs, time.perf_counter() - begun))


if __name__ == "__main__":
    main()
