"""The compiled core. Numbers in, numbers out; no files, no printing."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Progress = Callable[[str, int, int], None]
"""``progress(stage, done, total)``: called on the calling thread as a stage begins and every 50 ms.

What it raises stops the run and is raised from the call; so is Ctrl-C.
"""

class InvalidInput(ValueError):
    """A refused input or parameter; ``args`` are (name, fact and rule)."""

class NonFinite(InvalidInput):
    """Rows with NaN or infinity."""

    count: int
    first: list[int]

class NotConverged(RuntimeError):
    """An iteration ended before it met its tolerance."""

class Prepared:
    """Rows checked, centred, scaled and reduced: Z, (n, p0)."""

    @property
    def rows(self) -> NDArray[np.int64]: ...
    @property
    def features(self) -> NDArray[np.float32]: ...
    @property
    def facts(self) -> dict[str, Any]: ...

def prepare(
    x: NDArray[Any],
    *,
    scale: str = "auto",
    nonfinite: str = "error",
    n_dims: int = 64,
    seed: int = 0,
    n_threads: int = 0,
    progress: Progress | None = None,
) -> Prepared: ...
def select(
    prepared: Prepared,
    count: int,
    *,
    labels: NDArray[np.int64] | None = None,
    balance: str = "proportional",
    seed: int = 0,
    n_threads: int = 0,
    progress: Progress | None = None,
    **options: Any,
) -> dict[str, Any]: ...
def quality(
    prepared: Prepared,
    indices: NDArray[np.int64],
    *,
    labels: NDArray[np.int64] | None = None,
    n_random: int = 20,
    seed: int = 0,
    n_threads: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]: ...
def default_options() -> dict[str, Any]: ...
def info() -> dict[str, Any]: ...
