"""The trials of TUNING.md that options can express, over real data sets: a table each.

    python tests/bench/tuning.py --list
    python tests/bench/tuning.py start
    python tests/bench/tuning.py radius --sets usps letter --seeds 2

Prints for each value, with labels and without: the mean accuracy of `compare`'s models in points
above a random pick (with labels, a stratified one); the CF distance on unseen frequencies, and the
mean distance to the nearest selected row ("coverage"), over random (stratified) picks'. Means over
data sets, ± standard error over seeds. The default is in bold. Needs the extra `compare`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from common import DATA, load, mean_and_error
from threadpoolctl import threadpool_limits

from fast_select import _core
from fast_select._compare import MODELS, accuracies, known_test, scaled
from fast_select._labels import encode_labels

Options = dict[str, Any]
FOUR = ("usps", "pendigits", "letter", "banking77_lsa")
FIVE = (*FOUR, "notmnist10k")
SIX = (*FOUR, "optdigits", "covtype20k")
SEVEN = (*SIX, "notmnist10k")
EIGHT = (*SEVEN, "fashion_mnist")


@dataclass(frozen=True)
class Setting:
    """Where a trial is made, with labels or without."""

    ratios: tuple[float, ...]
    sets: tuple[str, ...]
    seeds: int


@dataclass(frozen=True)
class Trial:
    """Values of options beside each other, the default in bold."""

    question: str
    values: dict[str, Options]
    with_labels: Setting | None = None
    without: Setting | None = None
    common: Options = field(default_factory=dict)
    """Options of all values."""


def values_of(option: str, *values: float, default: float) -> dict[str, Options]:
    """An option's values by their names in the table."""
    return {f"**{v:,}**" if v == default else f"{v:,}": {option: v} for v in values}


TRIALS = {
    "start": Trial(
        "start of the exchange",
        {
            "**random rows**": {"init": "random"},
            "k-means++": {"init": "k-means++"},
            "k-means medoids": {"init": "k-means"},
            "k-means medoids, no exchange": {"init": "k-means", "max_sweeps": 0},
        },
        Setting((0.01, 0.05, 0.1), SEVEN, 3),
        Setting((0.01, 0.05), FOUR, 4),
    ),
    "blocks": Trial(
        "rows exchanged among each other",
        values_of("block_rows", 2048, 16_384, default=16_384),
        without=Setting((0.01,), FOUR, 4),
    ),
    "weight": Trial(
        "weight of the quantisation error",
        values_of("lambda_cover", 0.3, 0.5, 1.0, 2.0, 3.0, default=1.0),
        Setting((0.01, 0.05, 0.1), SIX, 3),
        Setting((0.01, 0.05), SIX, 3),
    ),
    "rounds": Trial(
        "rounds",
        values_of("max_sweeps", 1, 2, 4, 10, 30, default=4),
        without=Setting((0.01, 0.05), FOUR, 4),
    ),
    "radius": Trial(
        "smallest radius",
        values_of("base_radius", 0.25, 0.5, 0.7, 1.0, 2.0, default=0.7),
        Setting((0.01, 0.05), FIVE, 5),
        Setting((0.01, 0.05), FOUR, 5),
    ),
    "space": Trial(
        "space in which the paper's descent matches",
        {
            "features": {"space": "features"},
            "joint": {"space": "joint"},
            "**spectral**": {"space": "spectral"},
        },
        Setting((0.1,), ("letter",), 3),
        common={"method": "paper"},
    ),
    "scale": Trial(
        "scaling of the columns that the selection sees",
        {
            "**auto**": {"scale": "auto"},
            "none": {"scale": "none"},
            "standard": {"scale": "standard"},
        },
        Setting((0.01, 0.05, 0.1), EIGHT, 3),
        Setting((0.01, 0.05), EIGHT, 3),
    ),
}

FIGURES = ("gain", "CF", "coverage")


@dataclass(frozen=True)
class Task:
    """All values of a trial on one data set at one ratio."""

    folder: Path
    name: str
    use_labels: bool
    ratio: float
    seeds: int
    values: dict[str, Options]


def work(task: Task) -> dict[str, np.ndarray]:
    """FIGURES of each value, seed by seed: (seeds, 3)."""
    warnings.filterwarnings("ignore")
    x, y, x_test, y_test = load(task.folder, task.name)
    codes, classes = encode_labels(y, len(x))
    x_test, y_test = known_test((x_test, y_test), x.shape[1], classes)
    labels = codes if task.use_labels else None
    judge = _core.Params("select", ratio=task.ratio, threads=1)
    judged, count = _core.prepare(x, judge), judge.rows_wanted(len(x))
    features = scaled(x, x_test, standard=judged.facts["scale"] == "standard")

    def select(prepared: _core.Prepared, params: _core.Params) -> np.ndarray:
        return _core.select(prepared, count, params, labels=labels)["indices"]

    def accuracy(rows: np.ndarray, seed: int) -> float:
        with threadpool_limits(1):
            of_models = accuracies(tuple(MODELS), features, (codes, y_test), rows, seed, 1)
        return float(np.mean(list(of_models.values())))

    def params(options: Options, seed: int) -> _core.Params:
        return _core.Params("select", seed=seed, threads=1, **options)

    bases = [
        accuracy(select(judged, params({"method": "random"}, seed)), seed)
        for seed in range(task.seeds)
    ]
    results = {}
    for value, options in task.values.items():
        prepared = _core.prepare(x, params(options, 0))
        figures = []
        for seed, base in enumerate(bases):
            rows = select(prepared, params(options, seed))
            quality = _core.evaluate(judged, rows, judge, labels=labels)
            own, drawn = quality["selection"], quality["stratified"] or quality["random"]
            shares = [own[key] / drawn[key]["mean"] for key in ("cfd_m", "coverage_mean")]
            figures.append([accuracy(rows, seed) - base, *shares])
        results[value] = np.array(figures)
    return results


def table(setting: Setting, results: dict[tuple[str, float], dict[str, np.ndarray]]) -> list[str]:
    """One line a value; `results` by data set and ratio."""
    heads = [f"{figure} {ratio:.0%}" for figure in FIGURES for ratio in setting.ratios]
    lines = ["| value | " + " | ".join(heads) + " |", "|---" * (1 + len(heads)) + "|"]
    for value in next(iter(results.values())):
        cells = []
        for at, figure in enumerate(FIGURES):
            for ratio in setting.ratios:
                of_sets = [results[name, ratio][value][:, at] for name in setting.sets]
                mean, error = mean_and_error(np.mean(of_sets, axis=0))
                cells.append(
                    f"{mean:+.2f} ± {error:.2f}"
                    if figure == "gain"
                    else f"{mean:.3f} ± {error:.3f}"
                )
        lines.append(f"| {value} | " + " | ".join(cells) + " |")
    return lines


def tried(trial: Trial, setting: Setting, use_labels: bool, folder: Path, jobs: int) -> list[str]:
    """The table of a trial, with labels or without."""
    values = {name: {**trial.common, **options} for name, options in trial.values.items()}
    keys = [(name, ratio) for name in setting.sets for ratio in setting.ratios]
    tasks = [Task(folder, name, use_labels, ratio, setting.seeds, values) for name, ratio in keys]
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        results = dict(zip(keys, pool.map(work, tasks, chunksize=1), strict=True))
    heading = "with labels" if use_labels else "without labels"
    where = f"{', '.join(setting.sets)}; {setting.seeds} seeds"
    return [f"{trial.question}, {heading} ({where})", "", *table(setting, results), ""]


def main() -> None:
    """Run a trial and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trial", nargs="?", choices=TRIALS, metavar="TRIAL", help=", ".join(TRIALS))
    parser.add_argument("--list", action="store_true", help="print the trials and stop")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--sets", nargs="+", help="these sets in place of the trial's")
    parser.add_argument("--seeds", type=int, help="as many seeds in place of the trial's")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    if options.list:
        for name, trial in TRIALS.items():
            print(f"{name:<8}{trial.question}: {', '.join(trial.values)}")
        return
    if options.trial is None:
        parser.error("name a trial, or --list")
    trial = TRIALS[options.trial]
    for use_labels, setting in ((True, trial.with_labels), (False, trial.without)):
        if setting is None:
            continue
        sets = tuple(options.sets or setting.sets)
        asked = Setting(setting.ratios, sets, options.seeds or setting.seeds)
        print("\n".join(tried(trial, asked, use_labels, options.data, options.jobs)), flush=True)


if __name__ == "__main__":
    main()
