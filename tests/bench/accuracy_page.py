"""RESULTS.md from the runs of `accuracy.py`: losses first, then everything."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from typing import Any

import numpy as np
from common import MAX_TEST, mean_and_error
from rivals import RIVALS

from fast_select import _core
from fast_select._compare import METHODS, MODELS

Run = dict[str, Any]
Key = tuple[str, bool, float, str, int]


def key_of(run: Run) -> Key:
    """What tells a run from others."""
    return run["data"], run["use_labels"], run["ratio"], run["method"], run["seed"]


def method_option() -> dict[str, Any]:
    """The option `method` of the package."""
    table = _core.option_table("select")
    return next(option for option in table if option["name"] == "method")


DEFAULT: str = method_option()["default"]


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and the ends of its 95 % confidence interval (Student's t)."""
    from scipy.stats import t

    mean, error = mean_and_error(values)
    half = float(t.ppf(0.975, len(values) - 1)) * error if len(values) > 1 else float("inf")
    return mean, mean - half, mean + half


def shown(mean: float, low: float, high: float) -> str:
    """An interval in a table."""
    return f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]"


class Table:
    """Runs with labels or without, looked up by data set, ratio, method and seed."""

    def __init__(self, runs: list[Run], *, use_labels: bool, figure: str = "accuracy") -> None:
        used = [run for run in runs if run["use_labels"] == use_labels and figure in run]
        self.runs = {(run["data"], run["ratio"], run["method"], run["seed"]): run for run in used}
        self.figure = figure
        self.base = "stratified" if use_labels else "random"
        self.ratios = sorted({key[1] for key in self.runs})
        ranks = {method: rank for rank, method in enumerate((*METHODS, *RIVALS))}
        self.methods = sorted({key[2] for key in self.runs}, key=lambda m: ranks.get(m, len(ranks)))
        self.sets = list(dict.fromkeys(key[0] for key in self.runs))

    def seeds(self, data: str, ratio: float, *methods: str) -> list[int]:
        """Those of which there is a run by each of `methods`."""
        seeds = {key[3] for key in self.runs}
        return sorted(s for s in seeds if all((data, ratio, m, s) in self.runs for m in methods))

    def accuracy(self, data: str, ratio: float, method: str, seed: int) -> float:
        """Mean over the models, or the figure itself."""
        value = self.runs[data, ratio, method, seed][self.figure]
        return float(np.mean(list(value.values()))) if isinstance(value, dict) else value

    def gains(self, data: str, ratio: float, method: str, other: str) -> list[float]:
        """Points of a method above another, by the seeds that both have."""
        return [
            self.accuracy(data, ratio, method, seed) - self.accuracy(data, ratio, other, seed)
            for seed in self.seeds(data, ratio, method, other)
        ]

    def pairs(self, ratio: float, method: str, other: str) -> list[float]:
        """The same of every data set."""
        return [gain for data in self.sets for gain in self.gains(data, ratio, method, other)]

    def sets_of(self, ratio: float, *methods: str) -> list[str]:
        """Data sets on which there are runs by each of `methods`."""
        return [data for data in self.sets if self.seeds(data, ratio, *methods)]

    def overall(self, ratio: float, method: str) -> list[float]:
        """Gain above the baseline averaged over data sets, seed by seed."""
        sets = self.sets_of(ratio, method, self.base)
        if not sets:
            return []
        by_set = [self.gains(data, ratio, method, self.base) for data in sets]
        return list(np.mean([gains[: min(map(len, by_set))] for gains in by_set], axis=0))

    def distance(self, ratio: float, method: str, kind: str) -> float:
        """CF distance `kind` as a share of the baseline's, averaged over data sets."""

        def mean(data: str, name: str) -> float:
            seeds = self.seeds(data, ratio, name)
            return float(np.mean([self.runs[data, ratio, name, s][kind] for s in seeds]))

        sets = self.sets_of(ratio, method, self.base)
        return float(np.mean([mean(data, method) / mean(data, self.base) for data in sets]))

    def seconds(self, ratio: float, method: str) -> float:
        """Seconds of a selection, median of the seeds that were computed, summed over data sets."""
        total = 0.0
        for data in self.sets_of(ratio, method):
            seeds = self.seeds(data, ratio, method)
            times = [self.runs[data, ratio, method, seed]["select_s"] for seed in seeds]
            # An answer that was kept from another seed takes no time.
            total += float(np.median([t for t in times if t > 0.01 * max(times)]))
        return total


def heads(*names: str) -> list[str]:
    """The first two lines of a table."""
    return ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]


def overview(table: Table) -> list[str]:
    """One line a method: gain, CF distances and time at each ratio."""
    kinds = ("gain", "CF", "cells", "s")
    lines = heads("method", *(f"{kind} {ratio:.0%}" for kind in kinds for ratio in table.ratios))
    for method in table.methods:
        cells: dict[str, list[str]] = {kind: [] for kind in kinds}
        for ratio in table.ratios:
            overall = table.overall(ratio, method)
            if not overall:
                for kind in kinds:
                    cells[kind].append("")
                continue
            mean, error = mean_and_error(overall)
            sets = len(table.sets_of(ratio, method, table.base))
            among = f" ({sets} sets)" if sets < len(table.sets) else ""
            cells["gain"].append(f"{mean:+.2f} ± {error:.2f}{among}")
            cells["CF"].append(f"{table.distance(ratio, method, 'cfd_m'):.2f}")
            cells["cells"].append(f"{table.distance(ratio, method, 'cell_cfd_m'):.2f}")
            cells["s"].append(f"{table.seconds(ratio, method):.2f}")
        joined = " | ".join(cell for kind in kinds for cell in cells[kind])
        lines.append(f"| {method} | {joined} |")
    return lines


def by_data(table: Table, ratio: float) -> list[str]:
    """Gain of each method on each data set; the baseline's accuracy; the best in bold."""
    lines = heads("method", *table.sets)
    base = [
        np.mean(
            [table.accuracy(d, ratio, table.base, s) for s in table.seeds(d, ratio, table.base)]
        )
        for d in table.sets
    ]
    lines.append(f"| {table.base} | " + " | ".join(f"{value:.1f} %" for value in base) + " |")
    gains = {
        (data, method): mean_and_error(values)
        for data in table.sets
        for method in table.methods
        if method != table.base and (values := table.gains(data, ratio, method, table.base))
    }
    best = {
        data: max(mean for (of, _), (mean, _) in gains.items() if of == data) for data, _ in gains
    }
    for method in dict.fromkeys(method for _, method in gains):
        cells = []
        for data in table.sets:
            mean, error = gains.get((data, method), (np.nan, np.nan))
            bold = "**" if mean == best.get(data) else ""
            cells.append("" if np.isnan(mean) else f"{bold}{mean:+.1f}{bold} ± {error:.1f}")
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return lines


def by_model(table: Table, ratio: float) -> list[str]:
    """Gain of each method with each model, averaged over data sets and seeds."""
    lines = heads("method", *MODELS.values())
    for method in table.methods:
        pairs = [
            (table.runs[d, ratio, method, s], table.runs[d, ratio, table.base, s])
            for d in table.sets
            for s in table.seeds(d, ratio, method, table.base)
        ]
        if pairs:
            differences = (
                np.mean([own["accuracy"][model] - base["accuracy"][model] for own, base in pairs])
                for model in MODELS
            )
            lines.append(f"| {method} | " + " | ".join(f"{d:+.2f}" for d in differences) + " |")
    return lines


def beside(table: Table) -> list[str]:
    """Points of the default above each other method, and on how many data sets it leads."""
    lines = heads("the default above", *(f"{ratio:.0%}" for ratio in table.ratios))
    for method in table.methods:
        if method == DEFAULT:
            continue
        cells = []
        for ratio in table.ratios:
            pairs = table.pairs(ratio, DEFAULT, method)
            if not pairs:
                cells.append("")
                continue
            sets = table.sets_of(ratio, DEFAULT, method)
            won = sum(np.mean(table.gains(data, ratio, DEFAULT, method)) > 0 for data in sets)
            cells.append(f"{shown(*interval(pairs))}, {won} of {len(sets)}")
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return lines


def losses(table: Table, where: str) -> tuple[list[str], list[str]]:
    """Where another method is ahead of the default: beyond what seeds explain, and within it."""
    clear, within = [], []
    for ratio in table.ratios:
        for data in (None, *table.sets):
            behind = []
            for method in table.methods:
                pairs = (
                    table.pairs(ratio, method, DEFAULT)
                    if data is None
                    else table.gains(data, ratio, method, DEFAULT)
                )
                if method != DEFAULT and pairs and np.mean(pairs) > 0:
                    behind.append((interval(pairs), method))
            place = f"{data or 'all data sets'} at {ratio:.0%}, {where}"
            for figures, method in sorted(behind, reverse=True):
                line = f"* {place}: {method} is ahead by {shown(*figures)}."
                (clear if figures[1] > 0 or data is None else within).append(line)
    return clear, within


def all_losses(tables: dict[str, Table]) -> list[str]:
    """The page's first section."""
    parts = [losses(table, where) for where, table in tables.items()]
    clear, within = ([line for part in parts for line in part[at]] for at in (0, 1))
    return [
        "## Where the default loses",
        "",
        f"Points by which another method is ahead of {DEFAULT}, with the 95 % confidence interval "
        "of the difference between their runs with the same seed on the same data set.",
        "",
        "Over all data sets, or on one beyond what the seeds explain:",
        "",
        *(clear or ["* nowhere"]),
        "",
        "On one data set, within what the seeds explain:",
        "",
        *(within or ["* nowhere"]),
    ]


def versions() -> str:
    """Packages of the rivals."""
    names = sorted({rival.package for rival in RIVALS.values() if rival.package})
    known = []
    for name in names:
        try:
            known.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            known.append(f"{name} (not there)")
    return ", ".join(known)


def failures(runs: list[Run]) -> list[str]:
    """Methods that gave nothing, and what they said."""
    made = {key_of(run)[:4] for run in runs if "failed" not in run}
    lost = [run for run in runs if "failed" in run and key_of(run)[:4] not in made]
    if not lost:
        return []
    lines = ["", "## Failed", ""]
    for run in lost:
        where = "with labels" if run["use_labels"] else "without labels"
        said = run["failed"].splitlines()[0]
        lines.append(f"* {run['method']} on {run['data']} at {run['ratio']:.0%}, {where}: {said}")
    return lines


def preamble(runs: list[Run], max_rows: int) -> list[str]:
    """What was measured, and how."""
    info = _core.info()
    made = {run["method"] for run in runs}
    rivals = {name: rival for name, rival in RIVALS.items() if name in made}
    once = "; ".join(name for name, rival in rivals.items() if not rival.draws)
    whole = {run["method"] for run in runs if not run["use_labels"]}
    rare = [name for name in rivals if name in whole and 0.05 not in rivals[name].whole]
    blind = [name for name in rivals if name not in whole]
    own = [name for name, rival in rivals.items() if not rival.package]
    caveats = {
        f"Minutes for {max_rows:,} rows at once, so without labels at 1 % alone": rare,
        "Run with labels alone": blind,
        "Our own lines after the paper, as there is no package": own,
    }
    minutes = sum(run.get("work_s", 0.0) for run in runs) / 60
    return [
        "# Selections judged by the models trained on them",
        "",
        f"Made by `python tests/bench/accuracy.py` in {minutes:.0f} minutes of one core: "
        f"fast-select {info['version']}, {info['instruction_set']}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {versions()}.",
        "",
        f"* Data: at most {max_rows:,} training and {MAX_TEST:,} test rows of each set, for all "
        "methods, since some rivals hold a value for each pair of rows.",
        "* All methods see the same prepared features. With labels each class is selected from by "
        "itself, as many rows of it by every method but random.",
        "* gain: mean test accuracy of 1-NN, logistic regression, RBF-SVM and random forest, in "
        "points above a stratified random pick of the same size (random, without labels); mean "
        "over data sets, ± standard error over seeds.",
        "* CF: CF distance on unseen frequencies, as a share of the same random pick's; cells: the "
        "same inside cells of two picks, at their scale.",
        "* s: seconds for a selection on one thread, median of the seeds, summed over data sets; "
        "compiling of what compiles itself is in it.",
        f"* {DEFAULT} is the default. {method_option()['help']}",
        "* Rivals run on fewer seeds, and are compared on those that both have. Nothing is drawn "
        f"but what breaks ties by {once}: one selection for all seeds, models trained anew.",
        *(f"* {said}: {'; '.join(names)}." for said, names in caveats.items() if names),
        "* What the paper's parts give, and which of its claims held: [ABLATION.md](ABLATION.md).",
        "",
    ]


def page(runs: list[Run], max_rows: int) -> str:
    """RESULTS.md."""
    names = {True: "with labels", False: "without labels"}
    tables = {name: Table(runs, use_labels=use) for use, name in names.items()}
    tables = {name: table for name, table in tables.items() if table.runs}
    network = Table(runs, use_labels=True, figure="mlp")
    judged = tables | ({"with labels, by a neural network": network} if network.runs else {})
    lines = [
        *preamble(runs, max_rows),
        *all_losses(judged),
        "",
        "## The default beside each rival",
        "",
    ]
    lines += [
        "Points above the other method, mean over data sets and seeds, its 95 % confidence "
        "interval (one difference for each data set and seed), and on how many data sets it leads.",
    ]
    for name, table in judged.items():
        lines += ["", name[0].upper() + name[1:] + ":", "", *beside(table)]
    for name, table in tables.items():
        lines += ["", f"## {name[0].upper()}{name[1:]}", "", *overview(table)]
        for ratio in table.ratios:
            lines += ["", f"### {ratio:.0%} by data set", "", *by_data(table, ratio)]
        lines += ["", f"### {table.ratios[0]:.0%} by model", "", *by_model(table, table.ratios[0])]
    if network.runs:
        lines += [
            "",
            "## A neural network as the model, with labels",
            "",
            "Two hidden layers of 128 and 64 units, standardised input, 200 epochs at most. Points "
            "above a stratified random pick.",
        ]
        for ratio in network.ratios:
            lines += ["", f"### {ratio:.0%}", "", *by_data(network, ratio)]
    return "\n".join([*lines, *failures(runs)]) + "\n"
