"""Reports with all that a page shows, by numpy; reports of older versions lack some of it."""

import copy
import functools

import numpy as np

import fast_select

RADII = [0.25, 0.5, 1, 2, 4]


@functools.cache
def _selected(n, d, n_classes, options):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(n, d)).astype(np.float32)
    given = dict(options)
    codes = None
    if n_classes:
        codes = rng.integers(0, n_classes, size=n)
        codes[: min(n, n_classes)] = np.arange(n_classes)[:n]
    if given.pop("groups", False):
        given["groups"] = np.arange(n) // 3
    return x, codes, fast_select.select(x, labels=codes, **given)


def told_report(n=300, d=4, names=None, n_classes=3, whole=True, **options):
    """A report on a selection of normal rows, of so many classes (or of these names).

    `whole`: with the keys that pictures need beside those of an old report.
    """
    n_classes = n_classes if names is None else len(names)
    given = {"ratio": 0.1, "n_random": 20} | options
    x, codes, selection = _selected(n, d, n_classes, tuple(sorted(given.items())))
    report = copy.deepcopy(selection.report)
    if names is not None:
        for entry, name in zip(report["selection"]["classes"], names, strict=True):
            entry["label"] = name
    return add_pictures(report, x, selection.indices, codes) if whole else report


def add_pictures(report, x, picks, codes=None):
    """Add |phi|, distances to picks, and the map."""
    rng, x = np.random.default_rng(7), x.astype(float)
    quality, unit = report["quality"], 2.0
    drawn = rng.choice(len(x), len(picks), replace=False) if quality["n_random"] else None
    freqs = [rng.normal(size=(x.shape[1], 32)) * r / unit for r in RADII]
    levels = np.linspace(0, 1, 41)

    def phi(rows):
        return [float(np.abs(np.exp(1j * x[rows] @ f).mean(0)).mean()) for f in freqs]

    def distances(rows):
        return np.sqrt(((x[:, None] - x[None, rows]) ** 2).sum(2)) / unit

    def points(rows):
        found = {"row": rows.tolist(), "x": x[rows, 0].tolist(), "y": x[rows, -1].tolist()}
        return found if codes is None else found | {"class": codes[rows].tolist()}

    near = distances(picks)
    far = np.argsort(-near.min(1), kind="stable")[:24]
    quality["characteristic_function"] = {
        "radii": RADII,
        "whole": phi(np.arange(len(x))),
        "selection": phi(picks),
        "random": None if drawn is None else phi(drawn),
    }
    quality["distances"] = {
        "levels": levels.tolist(),
        "selection": np.quantile(near.min(1), levels).tolist(),
        "random": None if drawn is None else np.quantile(distances(drawn).min(1), levels).tolist(),
        "farthest": [
            {"row": int(row), "pick": int(picks[near[row].argmin()]), "distance": near[row].min()}
            for row in far
        ],
    }
    report["map"] = {
        "method": "pca",
        "explained": [0.29, 0.17],
        "rows": points(np.arange(len(x))),
        "selected": points(picks),
    }
    return report
