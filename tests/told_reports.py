"""Reports for pages; those of older versions lack some of what these show."""

import copy
import functools

import numpy as np

import fast_select


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
    return fast_select.select(x, labels=codes, **given)


def told_report(n=300, d=4, names=None, n_classes=3, whole=True, **options):
    """A report on a selection of normal rows, of so many classes (or of these names).

    `whole`: with what pictures need, which an old report does not have.
    """
    n_classes = n_classes if names is None else len(names)
    given = {"ratio": 0.1, "n_random": 20} | options
    selection = _selected(n, d, n_classes, tuple(sorted(given.items())))
    report = copy.deepcopy(selection.report)
    if names is not None:
        for entry, name in zip(report["selection"]["classes"], names, strict=True):
            entry["label"] = name
    if not whole:
        del report["map"]
        for key in ("characteristic_function", "distances"):
            del report["quality"][key]
    return report
