"""What a cap costs: fashion_mnist in groups of some 20 near rows, one of each at most.

    python tests/bench/groups.py
    python tests/bench/groups.py letter --near 5 --ratio 0.05

Groups are k-means clusters. CF distance and mean distance to the nearest pick, as shares of random
rows' of the same size; time over that of the pick without a cap.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

import numpy as np
from common import DATA, load
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA

import fast_select


def near_groups(x: np.ndarray, near: int) -> np.ndarray:
    """Clusters of some `near` rows."""
    reduced = PCA(16, random_state=0).fit_transform(x)
    n_clusters = len(x) // near
    means = MiniBatchKMeans(n_clusters, batch_size=4096, n_init=1, max_iter=20, random_state=0)
    return means.fit_predict(reduced)


def main() -> None:
    """Print a line for each pick."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", nargs="?", default="fashion_mnist")
    parser.add_argument("--near", type=int, default=20)
    parser.add_argument("--ratio", type=float, default=0.02)
    parser.add_argument("--cap", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    x, y, _, _ = load(DATA, args.set, sys.maxsize)
    groups = near_groups(x, args.near)
    sizes = np.bincount(groups)
    print(f"{args.set}: {len(x)} rows, {np.count_nonzero(sizes)} groups, the largest {sizes.max()}")
    capped = {"groups": groups, "max_per_group": args.cap}
    print("| labels | cap | most of a group | groups over it | CF | distance | time |")
    print("|---|---|---|---|---|---|---|")
    for labels in (None, y):
        seconds: dict[bool, list[float]] = {False: [], True: []}
        figures: dict[bool, list[tuple[float, ...]]] = {False: [], True: []}
        for seed in range(args.seeds):
            for has_cap, options in ((False, {}), (True, capped)):
                start = time.perf_counter()
                picked = fast_select.select(
                    x, ratio=args.ratio, labels=labels, seed=seed, **options
                )
                seconds[has_cap].append(time.perf_counter() - start)
                quality = picked.report["quality"]
                rival = quality["random" if labels is None else "stratified"]
                own = quality["selection"]
                counts = np.bincount(groups[picked.indices])
                figures[has_cap].append(
                    (
                        counts.max(),
                        np.count_nonzero(counts > args.cap),
                        *(own[k] / rival[k]["mean"] for k in ("cfd_m", "coverage_mean")),
                    )
                )
        for has_cap, runs in figures.items():
            most, over, cfd, distance = map(statistics.mean, zip(*runs, strict=True))
            ratio = statistics.median(
                own / free for own, free in zip(seconds[has_cap], seconds[False], strict=True)
            )
            cap = args.cap if has_cap else "none"
            kind = "no" if labels is None else "yes"
            print(
                f"| {kind} | {cap} | {most:.0f} | {over:.0f} | {cfd:.3f} | {distance:.3f} "
                f"| {ratio:.2f} |"
            )


if __name__ == "__main__":
    main()
