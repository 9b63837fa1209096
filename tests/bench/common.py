"""What the scripts share: the real data sets, and means over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
MAX_ROWS, MAX_TEST = 20_000, 2_000


def load(folder: Path, name: str, max_rows: int = MAX_ROWS) -> tuple[np.ndarray, ...]:
    """Training and test parts, cut to `max_rows` and MAX_TEST rows by a fixed draw."""
    with np.load(folder / f"{name}.npz") as data:
        x, y, x_test, y_test = (data[key] for key in ("x", "y", "x_test", "y_test"))
    rng = np.random.default_rng(0)
    rows = np.sort(rng.permutation(len(x))[:max_rows])
    tests = np.sort(rng.permutation(len(x_test))[:MAX_TEST])
    return x[rows], y[rows], x_test[tests], y_test[tests]


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Mean and its standard error; 0 for a single value."""
    array = np.array(values)
    error = array.std(ddof=1) / np.sqrt(array.size) if array.size > 1 else 0.0
    return float(array.mean()), float(error)
