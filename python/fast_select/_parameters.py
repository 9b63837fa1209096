"""Keywords of the functions, from the core's table: made by tests/generated.py."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from numpy.typing import ArrayLike


class SelectParameters(TypedDict, total=False):
    """Options of :func:`fast_select.select`; the core has their defaults."""

    ratio: float | None
    count: int | None
    labels: ArrayLike | None
    groups: ArrayLike | None
    include: ArrayLike | None
    exclude: ArrayLike | None
    balance: Literal["proportional", "equal"] | Mapping[Any, int]
    min_per_class: int
    max_per_group: int | None
    rank: bool
    scale: Literal["auto", "none", "standard"]
    nonfinite: Literal["error", "drop"]
    weights: Literal["none", "nearest"]
    max_memory: int | None
    n_random: int
    watts_per_core: float
    seed: int
    threads: int | None
    method: Literal["fast", "paper", "random", "k-center", "k-means", "herding"]
    space: Literal["joint", "features", "spectral"]
    n_neighbors: int
    n_components: int
    n_freqs: int
    batch_size: int
    max_steps: int
    learning_rate: float
    lambda_div: float
    lambda_match: float
    lambda_graph: float
    lambda_phase: float
    init: Literal["random", "k-means++", "k-means"]
    schedule: Literal["progressive", "all"]
    base_radius: float
    lambda_cover: float
    max_sweeps: int
    block_rows: int


class PlanParameters(TypedDict, total=False):
    """Options of :func:`fast_select.plan`; the core has their defaults."""

    ratio: float | None
    count: int | None
    labels: ArrayLike | None
    groups: ArrayLike | None
    balance: Literal["proportional", "equal"] | Mapping[Any, int]
    min_per_class: int
    max_per_group: int | None
    rank: bool
    scale: Literal["auto", "none", "standard"]
    nonfinite: Literal["error", "drop"]
    weights: Literal["none", "nearest"]
    max_memory: int | None
    workers: int | None
    memory: int | None
    bandwidth: int | None
    n_random: int
    threads: int | None
    method: Literal["fast", "paper", "random", "k-center", "k-means", "herding"]
    space: Literal["joint", "features", "spectral"]
    n_neighbors: int
    n_components: int
    n_freqs: int
    batch_size: int
    max_steps: int
    learning_rate: float
    lambda_div: float
    lambda_match: float
    lambda_graph: float
    lambda_phase: float
    init: Literal["random", "k-means++", "k-means"]
    schedule: Literal["progressive", "all"]
    base_radius: float
    lambda_cover: float
    max_sweeps: int
    block_rows: int


class EvaluateParameters(TypedDict, total=False):
    """Options of :func:`fast_select.evaluate`; the core has their defaults."""

    labels: ArrayLike | None
    scale: Literal["auto", "none", "standard"]
    nonfinite: Literal["error", "drop"]
    n_random: int
    seed: int
    threads: int | None


class CompareParameters(TypedDict, total=False):
    """Options of :func:`fast_select.compare`; the core has their defaults."""

    scale: Literal["auto", "none", "standard"]
    seed: int
    threads: int | None
