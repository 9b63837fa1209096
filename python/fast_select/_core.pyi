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
    include: NDArray[np.int64] | None = None,
    exclude: NDArray[np.int64] | None = None,
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
    thorough: bool = False,
    seed: int = 0,
    n_threads: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]: ...
def plan(
    n_cols: int,
    sizes: list[int],
    count: int,
    *,
    balance: str = "proportional",
    n_dims: int = 64,
    n_random: int = 20,
    n_threads: int = 0,
    **options: Any,
) -> list[dict[str, Any]]: ...
def products_per_second(*, n_threads: int = 0) -> float: ...
def heeds_standing(method: str) -> bool: ...
def default_options() -> dict[str, Any]: ...
def info() -> dict[str, Any]: ...

# Single stages, for tests and benchmarks.

Csr = tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.float32]]

def knn(
    x: NDArray[np.float32], k: int, *, n_threads: int = 0
) -> tuple[NDArray[np.uint32], NDArray[np.float32]]: ...
def fuzzy_graph(
    x: NDArray[np.float32],
    indices: NDArray[np.uint32],
    dists: NDArray[np.float32],
    scales: list[int],
    *,
    n_threads: int = 0,
) -> dict[str, Any]: ...
def spectral_embedding(
    indptr: NDArray[np.int64],
    indices: NDArray[np.uint32],
    data: NDArray[np.float32],
    n_components: int,
    *,
    tol: float = 1e-4,
    seed: int = 0,
    n_threads: int = 0,
) -> tuple[list[float], NDArray[np.float32], float, int]: ...
def characteristic_function(
    x: NDArray[np.float32], freqs: NDArray[np.float32], *, n_threads: int = 0
) -> tuple[list[float], list[float]]: ...
def pd_cfd_gradient(
    y: NDArray[np.float32],
    freqs: NDArray[np.float32],
    re: list[float],
    im: list[float],
    phase_weights: list[float],
    *,
    steps: int = 1,
    n_threads: int = 0,
) -> tuple[float, NDArray[np.float32]]: ...
def diversity(
    y: NDArray[np.float32], length: float, delta: float
) -> tuple[NDArray[np.float32], float]: ...
def linear_sum_assignment(
    indptr: NDArray[np.int64],
    indices: NDArray[np.uint32],
    costs: list[NDArray[np.float64]],
    n: int,
) -> list[tuple[NDArray[np.uint32], int]]: ...
