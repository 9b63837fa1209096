"""A selection of many blocks, small enough to be made many times, and the command that makes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPTIONS: dict[str, Any] = {"ratio": 0.05, "block_rows": 512, "n_random": 0}
FLAGS = ["--ratio", "0.05", "--block-rows", "512", "--random", "0"]
"""The same on the command line."""


def points(n: int, d: int = 6) -> NDArray[np.float32]:
    """Clusters of unequal breadth, (n, d); 12,000 rows make blocks that are held together."""
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(9, d)) * 3
    which = rng.integers(0, 9, n)
    return np.float32(centres[which] + rng.normal(size=(n, d)) * (0.2 + which[:, None] / 9))


def run(*words: str | Path, **settings: Any) -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    command = [sys.executable, "-m", "fast_select", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **settings)
