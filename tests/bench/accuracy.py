"""Selection methods over real data sets, ratios, models and seeds: writes RESULTS.md.

    python tests/bench/accuracy.py --json runs.jsonl         # what is there is not made anew
    python tests/bench/accuracy.py --methods twinning --sets usps --ratios 0.01 --labels --out -
    python tests/bench/accuracy.py --from-json runs.jsonl    # the page alone

Needs the extras `compare` and `bench`. Selections depend on the seeds alone; times are measured on
one thread a process while `--jobs` processes run, so only their ratios mean something.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# One thread for each process's linear algebra, set before numpy and jax start their pools.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import numpy as np
from accuracy_page import Run, key_of, page
from common import DATA, load
from rivals import RIVALS

import fast_select
from fast_select._compare import METHODS, known_test, own_method, scaled
from fast_select._labels import encode_labels

HERE = Path(__file__).parent
MAX_ROWS = 12_000
"""Training rows of a set at most, for all methods: some rivals hold a value for each pair."""
SETS = (
    "usps", "optdigits", "pendigits", "letter", "notmnist10k", "fashion_mnist", "covtype20k",
    "banking77_lsa",
)  # fmt: skip
RATIOS = {True: (0.01, 0.02, 0.05, 0.1), False: (0.01, 0.05)}
"""Of our own methods, by whether they see the labels; rivals have theirs."""
SEEDS = 5
MLP_SETS = ("usps", "optdigits", "letter", "fashion_mnist", "covtype20k", "banking77_lsa")
MLP_RATIOS, MLP_SEEDS = (0.01, 0.05), 3
"""A neural network takes longer to train than all the other models: with labels only."""


@dataclass(frozen=True)
class Task:
    """One method on one data set at one ratio."""

    folder: Path
    data: str
    use_labels: bool
    ratio: float
    method: str
    seeds: tuple[int, ...]

    def wants_mlp(self) -> bool:
        """Whether the neural network is trained as well."""
        return self.use_labels and self.data in MLP_SETS and self.ratio in MLP_RATIOS


def tasks_of(options: argparse.Namespace, done: Iterable[Run]) -> list[Task]:
    """What was asked for and is not `done`; the slowest sets first."""
    keys = {key_of(run) for run in done if "failed" not in run}
    tasks = []
    for use_labels in (True, False):
        if options.labels in (None, use_labels):
            for method in options.methods:
                rival = RIVALS.get(method)
                ratios = rival.ratios(use_labels) if rival else RATIOS[use_labels]
                n_seeds = min(options.seeds, rival.seeds) if rival else options.seeds
                for data in options.sets:
                    for ratio in set(ratios) & set(options.ratios or ratios):
                        cell = (data, use_labels, ratio, method)
                        seeds = tuple(s for s in range(n_seeds) if (*cell, s) not in keys)
                        if seeds and (method != "stratified" or use_labels):
                            tasks.append(Task(options.data, *cell, seeds))
    return sorted(tasks, key=lambda task: (task.use_labels, -task.ratio))


def work(task: Task) -> list[Run]:
    """Its runs, or one entry that says how it failed."""
    warnings.filterwarnings("ignore")
    begun = time.perf_counter()
    cell = {"data": task.data, "use_labels": task.use_labels}
    try:
        runs = [cell | run for run in judged(task)]
    except Exception as error:  # Whatever a package of others raises.
        failed = f"{type(error).__name__}: {error}"
        return [cell | {"ratio": task.ratio, "method": task.method, "seed": 0, "failed": failed}]
    share = (time.perf_counter() - begun) / len(runs)
    return [run | {"work_s": share} for run in runs]


def judged(task: Task) -> list[Run]:
    """Selections, and what models learn from them."""
    x, y, x_test, y_test = load(task.folder, task.data, MAX_ROWS)
    picker = RIVALS.get(task.method) or own_method(task.method, task.use_labels, 1)
    picked = {}

    def pick(prepared, count, labels, seed):
        picked[seed] = picker(prepared, count, labels, seed)
        return picked[seed]

    result = fast_select.compare(
        x,
        y,
        ratios=[task.ratio],
        test=(x_test, y_test),
        methods=[],
        extra_methods={task.method: pick},
        use_labels=task.use_labels,
        seeds=task.seeds,
        threads=1,
    )
    runs: list[Run] = result["runs"]
    if task.wants_mlp():
        codes, classes = encode_labels(y, len(x))
        x_test, y_test = known_test((x_test, y_test), x.shape[1], classes)
        features = scaled(x, x_test, standard=True)
        for run in runs:
            if run["seed"] < MLP_SEEDS:
                run["mlp"] = mlp(features, (codes, y_test), picked[run["seed"]], run["seed"])
    return runs


def mlp(features, labels, rows: np.ndarray, seed: int) -> float:
    """Test accuracy in % of a network with two hidden layers, trained on `rows`."""
    from sklearn.neural_network import MLPClassifier

    (x, x_test), (y, y_test) = features, labels
    model = MLPClassifier((128, 64), max_iter=200, random_state=seed).fit(x[rows], y[rows])
    return 100 * float(np.mean(model.predict(x_test) == y_test))


def stored(path: Path) -> list[Run]:
    """Runs of a file, a line each; of one made twice the later."""
    lines = path.read_text().splitlines() if path.exists() else []
    return list({key_of(run): run for run in map(json.loads, lines)}.values())


def write(path: Path, text: str) -> None:
    """To a file; `-` is standard output."""
    if str(path) == "-":
        print(text, end="")
    else:
        path.write_text(text)


def main() -> None:
    """Run every task and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--methods", nargs="+", default=[*METHODS, *RIVALS], metavar="METHOD")
    parser.add_argument("--sets", nargs="+", default=SETS, metavar="SET")
    parser.add_argument("--ratios", type=float, nargs="+", help="of those that a method has")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--labels", action=argparse.BooleanOptionalAction, help="default: both")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path, help="add every single run to this file, a line each")
    parser.add_argument("--from-json", type=Path, help="make the page of this file's runs")
    parser.add_argument("--out", type=Path, default=HERE / "RESULTS.md")
    options = parser.parse_args()
    if unknown := set(options.methods) - {*METHODS, *RIVALS}:
        parser.error(f"no method {', '.join(unknown)} among {', '.join((*METHODS, *RIVALS))}")
    if options.from_json:
        write(options.out, page(stored(options.from_json), MAX_ROWS))
        return
    runs = stored(options.json) if options.json else []
    tasks, begun = tasks_of(options, runs), time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for done, part in enumerate(pool.imap_unordered(work, tasks), 1):
            runs += part
            if options.json:
                with options.json.open("a") as file:
                    file.writelines(json.dumps(run) + "\n" for run in part)
            run, minutes = part[0], (time.perf_counter() - begun) / 60
            what = f"{run['data']} {run['ratio']} {run['method']} {run.get('failed', '')}"
            print(f"{done}/{len(tasks)} {minutes:.1f} min: {what}", flush=True)
    write(options.out, page(runs, MAX_ROWS))


if __name__ == "__main__":
    main()
