"""Models trained on weighted picks: what weights of each kind are worth. Writes WEIGHTS.md.

    python tests/bench/weights.py --json weights.jsonl         # what is there is not made anew
    python tests/bench/weights.py --from-json weights.jsonl    # the page alone

Needs the extra `compare`. Picks of the default method, with labels. `nearest`: how many rows of its
class have this pick as their nearest. `matched`: non-negative weights that minimise the CF distance
of the class's weighted picks to the class, ∫ |Σ w_i exp(it·z_i) - Σ exp(it·x_j)|² over Gaussian
frequencies t, which in closed form is w'Kw - 2 p'w with K a mean of Gaussian kernels: at radii 1/2,
1 and 2 over the median distance, those of the report (`matched`), and at those of the exchange
(`matched finer`). All sum to the rows of the class.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
from accuracy import MAX_ROWS, SETS
from common import DATA, load, mean_and_error

from fast_select import _core
from fast_select._compare import estimator, known_test, own_method, scaled
from fast_select._labels import encode_labels

HERE = Path(__file__).parent
RATIOS = (0.01, 0.1)
SEEDS = 5
KERNELS = {"matched": (0.5, 1.0, 2.0), "matched finer": (0.7, 1.4, 2.8, 5.6)}
"""Radii of the Gaussian frequencies, over the median distance."""
KINDS = ("nearest", *KERNELS)
MODELS = {
    "logreg": "Logistic regression, weights of mean 1",
    "logreg of n": "Logistic regression, weights that sum to n",
    "forest": "Random forest",
}
"""A penalty of weight 1 stands against the sum of the weights: m, as without any, or n. A forest
knows no scale."""
STEPS = 2000
CONCLUSION = (
    "A kind was to become `--weights KIND` for models' sake if it helped either of them, at 1 or",
    "10 %, by more than its standard error beside no weights and beside `nearest`. `matched` does",
    "so nowhere, with either kernel, and is left out. `nearest` helps logistic regression at 1 %",
    "and costs the forest accuracy at 10 %: `--weights nearest` is there to say what a pick stands",
    "for, and `compare` trains without weights.",
)
"""What the tables decided."""

Run = dict[str, object]


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of each row of `a` to each of `b`, in float64."""
    a, b = a.astype(float), b.astype(float)
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T
    return np.maximum(squares, 0)


def nearest_weights(rows: np.ndarray, picks: np.ndarray) -> np.ndarray:
    """How many of `rows` have each of `picks` as their nearest."""
    nearest = squared_distances(rows, picks).argmin(axis=1)
    return np.bincount(nearest, minlength=len(picks)).astype(float)


def kernel(a: np.ndarray, b: np.ndarray, radii: Sequence[float]) -> np.ndarray:
    """Mean over `radii` of the characteristic function of N(0, r² I) at the differences."""
    squares = squared_distances(a, b)
    return np.mean([np.exp(-0.5 * r * r * squares) for r in radii], axis=0)


def on_simplex(w: np.ndarray) -> np.ndarray:
    """The nearest point that is non-negative and sums to 1."""
    descending = np.sort(w)[::-1]
    level = (np.cumsum(descending) - 1) / np.arange(1, len(w) + 1)
    return np.maximum(w - level[np.flatnonzero(descending > level)[-1]], 0)


def matched_weights(rows: np.ndarray, picks: np.ndarray, radii: Sequence[float]) -> np.ndarray:
    """Weights that minimise w'Kw - 2 p'w, by accelerated projected gradient from equal ones."""
    k = kernel(picks, picks, radii)
    p = kernel(picks, rows, radii).mean(axis=1)
    step = 1 / np.linalg.eigvalsh(k)[-1]
    w = ahead = np.full(len(picks), 1 / len(picks))
    momentum = 1.0
    for _ in range(STEPS):
        new = on_simplex(ahead - step * (k @ ahead - p))
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        if (ahead - new) @ (new - w) > 0:  # uphill: begin anew
            following, momentum = 1.0, 1.0
        ahead = new + (momentum - 1) / following * (new - w)
        w, momentum = new, following
    return len(rows) * w


def weights_of(kind: str, rows: np.ndarray, picks: np.ndarray) -> np.ndarray:
    """Weights of the picks of one class."""
    if kind in KERNELS:
        return matched_weights(rows, picks, KERNELS[kind])
    return nearest_weights(rows, picks)


def distance(z: np.ndarray, picks: np.ndarray, w: np.ndarray) -> float:
    """m times the CF distance of weighted picks from all rows, over one that is constant."""
    w, radii = w / w.sum(), KERNELS["matched"]
    own = w @ kernel(picks, picks, radii) @ w
    return float(len(picks) * (own - 2 * w @ kernel(picks, z, radii).mean(axis=1)))


def judged(data: str, ratio: float, seed: int, folder: Path) -> list[Run]:
    """Accuracy in % of each model with each kind of weights on one pick."""
    x, y, x_test, y_test = load(folder, data, MAX_ROWS)
    codes, classes = encode_labels(y, len(x))
    x_test, y_test = known_test((x_test, y_test), x.shape[1], classes)
    prepared = _core.prepare(x, _core.Params("compare", threads=1))
    features = scaled(x, x_test, standard=prepared.facts["scale"] == "standard")
    rows = own_method("fast", True, 1)(prepared, round(ratio * len(x)), codes, seed)
    z, own = prepared.features, codes[rows]
    weights = {"none": np.full(len(rows), len(x) / len(rows))}
    for kind in KINDS:
        weights[kind] = np.zeros(len(rows))
        for c in np.unique(own):
            at = own == c
            weights[kind][at] = weights_of(kind, z[codes == c], z[rows[at]])
    whole = {kind: distance(z, z[rows], w) for kind, w in weights.items()}
    runs = []
    for kind, w in weights.items():
        for name in MODELS:
            scale = 1.0 if name == "logreg of n" else w.mean()
            model = estimator(name.split()[0], seed, 1)
            model.fit(features[0][rows], own, sample_weight=w / scale)
            accuracy = 100 * float(np.mean(model.predict(features[1]) == y_test))
            cell = {"data": data, "ratio": ratio, "seed": seed, "model": name, "kind": kind}
            fall = whole[kind] - whole["none"]
            runs.append(cell | {"accuracy": accuracy, "cfd_m_beside_none": fall})
    return runs


def page(runs: Iterable[Run]) -> str:
    """The tables."""
    found = {
        (run["model"], run["ratio"], run["data"], run["kind"], run["seed"]): run["accuracy"]
        for run in runs
    }
    seeds = sorted({key[-1] for key in found})
    lines = [
        "# What weights are worth to models",
        "",
        f"Picks of the default method with labels, {len(seeds)} seeds, up to {MAX_ROWS} rows a",
        "set. Accuracy in % without weights, and the difference that those of each kind make, ±",
        "its standard error over seeds; in the last line over sets. `weights.py` says what the",
        "kinds are.",
        "",
        *CONCLUSION,
    ]
    for model, title in MODELS.items():
        for ratio in RATIOS:
            pairs = [(a, b) for b in ("none", "nearest") for a in KINDS if a != b]
            names = ["none", *(f"{a} - {b}" for a, b in pairs)]
            lines += ["", f"## {title}, {ratio:.0%}", "", "| set | " + " | ".join(names) + " |"]
            lines.append("|---|" + "---:|" * len(names))
            means: list[list[float]] = []
            for data in SETS:
                at = {
                    kind: np.array(
                        [found.get((model, ratio, data, kind, s), np.nan) for s in seeds]
                    )
                    for kind in ("none", *KINDS)
                }
                done = ~np.isnan(at["none"])
                if not done.any():
                    continue
                each = [mean_and_error(at[a][done] - at[b][done]) for a, b in pairs]
                means.append([float(at["none"][done].mean()), *(mean for mean, _ in each)])
                cells = [f"{means[-1][0]:.2f}", *(f"{m:+.2f} ± {e:.2f}" for m, e in each)]
                lines.append(f"| {data} | " + " | ".join(cells) + " |")
            if means:
                base, *others = zip(*means, strict=True)
                each = [mean_and_error(values) for values in others]
                cells = [f"{np.mean(base):.2f}", *(f"**{m:+.2f} ± {e:.2f}**" for m, e in each)]
                lines.append("| mean of sets | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is missing and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--sets", nargs="+", default=SETS, metavar="SET")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--json", type=Path, help="add every single run to this file, a line each")
    parser.add_argument("--from-json", type=Path, help="make the page of this file's runs")
    parser.add_argument("--out", type=Path, default=HERE / "WEIGHTS.md")
    options = parser.parse_args()
    kept = options.from_json or options.json
    lines = kept.read_text().splitlines() if kept and kept.exists() else []
    runs = [json.loads(line) for line in lines]
    if not options.from_json:
        warnings.filterwarnings("ignore")
        done = {(run["seed"], run["ratio"], run["data"]) for run in runs}
        for seed in range(options.seeds):
            for ratio in RATIOS:
                for data in options.sets:
                    if (seed, ratio, data) in done:
                        continue
                    made = judged(data, ratio, seed, options.data)
                    runs += made
                    if options.json:
                        with options.json.open("a") as file:
                            file.writelines(json.dumps(run) + "\n" for run in made)
                    print(seed, ratio, data, flush=True)
    options.out.write_text(page(runs))


if __name__ == "__main__":
    main()
