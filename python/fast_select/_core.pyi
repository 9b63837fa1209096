"""The compiled core. Numbers in, numbers out; no files, no printing."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ._stacked import Matrix

__version__: str
EIGEN_TOL: float
RANKED_SHARES: list[float]
"""Residual of eigenpairs to reach."""

Progress = Callable[[str, int, int], None]
"""``progress(stage, done, total)``: called on the calling thread as a stage begins and every 50 ms.

What it raises stops the run and is raised from the call; so is Ctrl-C.
"""

class Refused(ValueError):
    """A refused input or parameter; ``args`` are (what, fact, fix)."""

class Failed(RuntimeError):
    """A computation that failed on input that is in order; ``args`` are (what, fact, fix)."""

class Crew(Protocol):
    """What keeps the results of pieces of work, for later runs and others at work."""

    place: tuple[int, int]

    def take(self, scope: str, name: str) -> bool | None: ...
    def leave(self, scope: str, name: str) -> None: ...
    def give(self, scope: str, name: str, result: bytes) -> None: ...
    def result(self, scope: str, name: str) -> bytes | None: ...
    def write(self, scope: str, name: str, length: int, first: int, entries: bytes) -> None: ...
    def read(self, scope: str, name: str, length: int) -> NDArray[np.float32] | None: ...
    def forget(self, scope: str, beginning: str) -> None: ...

class Params:
    """Options of a command, checked; None in ``options`` where one is not set."""

    def __init__(self, command: str, **options: Any) -> None: ...
    def values(self) -> dict[str, Any]: ...
    def check_size(self) -> None: ...
    def rows_wanted(self, n: int) -> int: ...
    def check_caps(self, has_groups: bool) -> None: ...
    def check_takes_constraints(self) -> None: ...
    def without_effect(self, has_labels: bool) -> list[str]: ...
    def fitted(self, block_rows: int, threads: int) -> Params: ...

def option_table(command: str) -> list[dict[str, Any]]: ...
def check_matrix(x: Matrix) -> None: ...

class Prepared:
    """Rows checked, centred, scaled and reduced: Z, (n, p0)."""

    @property
    def rows(self) -> NDArray[np.int64]: ...
    @property
    def features(self) -> NDArray[np.float32]: ...
    @property
    def values_hash(self) -> str: ...
    @property
    def facts(self) -> dict[str, Any]: ...

def prepare(
    x: Matrix,
    params: Params,
    *,
    room: NDArray[np.float32] | None = None,
    crew: Crew | None = None,
    progress: Progress | None = None,
) -> Prepared: ...
def room_needed(n_rows: int, n_cols: int) -> int: ...
def values_hash(x: Matrix, n_threads: int, *, progress: Progress | None = None) -> str: ...
def check_request(
    prepared: Prepared,
    count: int,
    params: Params,
    *,
    labels: NDArray[np.int64] | None = None,
    groups: NDArray[np.int64] | None = None,
    include: NDArray[np.int64] | None = None,
    exclude: NDArray[np.int64] | None = None,
) -> None: ...
def select(
    prepared: Prepared,
    count: int,
    params: Params,
    *,
    labels: NDArray[np.int64] | None = None,
    groups: NDArray[np.int64] | None = None,
    include: NDArray[np.int64] | None = None,
    exclude: NDArray[np.int64] | None = None,
    crew: Crew | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]: ...
def rank(
    prepared: Prepared,
    selected: NDArray[np.int64],
    params: Params,
    *,
    labels: NDArray[np.int64] | None = None,
    include: NDArray[np.int64] | None = None,
    progress: Progress | None = None,
) -> NDArray[np.int64]: ...
def weigh(
    prepared: Prepared,
    indices: NDArray[np.int64],
    params: Params,
    *,
    labels: NDArray[np.int64] | None = None,
    with_assignment: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]: ...
def evaluate(
    prepared: Prepared,
    indices: NDArray[np.int64],
    params: Params,
    *,
    weights: NDArray[np.int64] | None = None,
    labels: NDArray[np.int64] | None = None,
    n_random: int | None = None,
    with_discrepancies: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]: ...
def plan(
    n_cols: int, sizes: list[int], count: int, params: Params, *, is_mapped: bool = False
) -> list[dict[str, Any]]: ...
def fitting(
    n_cols: int,
    sizes: list[int],
    count: int,
    params: Params,
    bytes: int,
    before: int,
    *,
    is_mapped: bool = False,
) -> tuple[int, int]: ...
def crew_plan(
    n_cols: int,
    sizes: list[int],
    count: int,
    params: Params,
    *,
    workers: int,
    rate: float,
    bandwidth: float,
    entry_bytes: int,
    memory: int,
) -> tuple[list[dict[str, Any]], int]: ...
def products_per_second(params: Params) -> float: ...
def can_have(bytes: int) -> bool: ...
def exit_on_faults(out_of_memory: bytes, bus_error: bytes) -> None: ...
def info() -> dict[str, Any]: ...
def instruction_sets() -> list[str]: ...
def prefer_instruction_set(name: str) -> None: ...

# `stages`, single stages as functions for tests, is there in builds with that feature only.
