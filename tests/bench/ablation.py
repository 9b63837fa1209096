"""The paper's ablation: its method with and without each of its parts, as a table.

    python tests/bench/ablation.py                  # usps, 1 and 10 %, five seeds
    python tests/bench/ablation.py letter --ratios 0.05

`--method paper` with labels. CF: CF distance on unseen frequencies over stratified random's.
anchors: the distinct rows nearest to the anchors, before the assignment, as a share of m.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from common import DATA, mean_and_error

import fast_select

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
}


def measured(
    x: np.ndarray, y: np.ndarray, ratio: float, seed: int, options: dict[str, Any]
) -> tuple[float, float]:
    """CF distance over stratified random's, and the share of distinct anchors."""
    report = fast_select.select(
        x, labels=y, ratio=ratio, seed=seed, method="paper", **options
    ).report
    quality, groups = report["quality"], report["selection"]["groups"]
    share = quality["selection"]["cfd_m"] / quality["stratified"]["cfd_m"]["mean"]
    distinct = sum(group["distinct_anchors"] for group in groups)
    return share, distinct / sum(group["quota"] for group in groups)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", default="usps")
    parser.add_argument("--ratios", type=float, nargs="+", default=[0.01, 0.1])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    with np.load(DATA / f"{options.data}.npz") as data:
        x, y = data["x"], data["y"]
    heads = [f"{head} {ratio:.0%}" for ratio in options.ratios for head in ("CF", "anchors")]
    print(f"| {options.data} | " + " | ".join(heads) + " |")
    print("|---" * (1 + len(heads)) + "|")
    for name, variant in VARIANTS.items():
        cells = []
        for ratio in options.ratios:
            runs = [measured(x, y, ratio, seed, variant) for seed in range(options.seeds)]
            shares, distinct = zip(*runs, strict=True)
            mean, error = mean_and_error(shares)
            cells += [f"{mean:.3f} ± {error:.3f}", f"{np.mean(distinct):.3f}"]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
