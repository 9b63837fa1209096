"""The report: what was selected, what it took, and how good it is beside random picks."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._hashes import hash_of_rows
from ._labels import plain
from ._mapped import mapped_bytes
from ._stacked import Matrix
from ._text import counted, figure

if TYPE_CHECKING:
    from .energy import Meter

SCHEMA = 1
"""Version of the report's layout; raised when a key changes its meaning or goes."""

ENOUGH_DRAWS = 20
"""With fewer, being ahead of all of them is no evidence."""

ROUNDING = 1e-6
"""Figures that differ by no more, of the larger of them or of 1, are equal: sums are of float32."""

RIVALS = {
    "random": "random",
    "stratified": "stratified",
    "stratified_by_blocks": "by blocks",
}
"""Kinds of random selections that a selection is shown beside, and their names in tables."""

METRICS = {
    "cfd_m": "CF distance x m",
    "cfd_m_radius_0.25": "CF distance at radius 0.25",
    "cfd_m_radius_0.5": "CF distance at radius 0.5",
    "cfd_m_radius_1": "CF distance at radius 1",
    "cfd_m_radius_2": "CF distance at radius 2",
    "cfd_m_radius_4": "CF distance at radius 4",
    "cell_cfd_m": "CF distance in cells",
    "moment_1": "mean",
    "moment_2": "covariance",
    "moment_3": "third moment",
    "moment_4": "fourth moment",
    "coverage_max": "coverage radius",
    "coverage_mean": "mean distance (sampled)",
    "mmd2": "MMD squared (sampled)",
    "sliced_wasserstein": "sliced Wasserstein",
}
"""Figures of quality and their names in tables; in all of them 0 is perfect."""


def input_facts(x: Matrix, prepared: _core.Prepared) -> dict[str, Any]:
    """What the report tells of its input."""
    return {
        "shape": list(x.shape),
        "dtype": str(x.dtype),
        "mapped_bytes": mapped_bytes(x),
        **prepared.facts,
    }


def report_on(
    facts_of_input: dict[str, Any],
    options: dict[str, Any],
    indices: NDArray[np.int64],
    labels: tuple[NDArray[np.int64] | None, NDArray[Any] | None],
    quality: dict[str, Any],
    meter: Meter,
    *,
    kept: NDArray[np.int64] | None = None,
    hashes: dict[str, str | None] | None = None,
    weights: NDArray[np.int64] | None = None,
    scratch_bytes: int = 0,
    **facts: Any,
) -> dict[str, Any]:
    """The report on a selection; all of it can be written as JSON.

    `facts_of_input`: see :func:`input_facts`; `labels`: codes and the classes that they stand for;
    `kept`: the rows that were not left out for NaN or infinity, unless that is all; `hashes`: of
    what it was made from; `weights`: of the rows selected, where they are known; `scratch_bytes`:
    of prepared features in a scratch folder; `facts`: what its making has to tell.
    """
    about = {**facts_of_input}
    mapped = about.pop("mapped_bytes")
    weighted, map_ = quality.pop("weighted"), quality.pop("map")
    quality = ranked(quality)
    classes = class_counts(indices, *labels, kept=kept)
    summary: dict[str, Any] = {**meter.summary()}
    return {
        "schema": SCHEMA,
        "tool": {"name": "fast-select", **_core.info()},
        "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "input": {**about, **({"hashes": hashes} if hashes else {})},
        "options": options,
        "selection": {
            "count": int(indices.size),
            "sha256": hash_of_rows(indices),
            "classes": classes,
            **facts,
            "notes": [
                *far_outside(about),
                *notes(facts.get("groups", [])),
                *empty_classes(classes),
            ],
        },
        "quality": quality,
        "map": with_classes(map_, labels[0]),
        **({} if weights is None else {"weights": weight_figures(weights, weighted, quality)}),
        "verdict": verdict(quality),
        **summary,
        "memory": {
            **summary["memory"],
            "mapped_input_bytes": mapped,
            "mapped_scratch_bytes": scratch_bytes,
            "max_bytes": options.get("max_memory"),
        },
    }


def weight_figures(
    weights: NDArray[np.int64], weighted: dict[str, float], quality: dict[str, Any]
) -> dict[str, Any]:
    """How uneven weights are, and the CF distance with them and without.

    The effective sample size, (sum w)^2 / sum w^2 (Kish), is that of as many rows of equal weights
    as have a mean of as large a variance.
    """
    w = weights.astype(float)
    return {
        "min": int(weights.min()),
        "median": float(np.median(w)),
        "max": int(weights.max()),
        "effective_sample_size": float(w.sum() ** 2 / (w**2).sum()),
        "weighted": weighted,
        "unweighted": {name: quality["selection"][name] for name in weighted},
    }


def with_classes(map_: dict[str, Any], codes: NDArray[np.int64] | None) -> dict[str, Any]:
    """The map, and where there are classes that of each of its rows, by its place among them."""
    if codes is not None:
        for places in (map_["rows"], map_["selected"]):
            places["class"] = codes[np.asarray(places["row"])].tolist()
    return map_


def far_outside(prepared: dict[str, Any]) -> list[str]:
    """A sentence on rows far outside, where there are any."""
    count, listed = prepared["n_far"], prepared["far_rows"]
    if not count:
        return []
    rows = ", ".join(map(str, listed)) + ", ..." * (count > len(listed))
    many, drawn = ("1 row lies", "was") if count == 1 else (f"{count} rows lie", "were")
    return [f"{many} far outside the others ({rows}) and {drawn} drawn in."]


def notes(groups: list[dict[str, Any]]) -> list[str]:
    """What did not go as it should, in sentences; none where all is well, or nothing descends."""
    found = []
    key = "held_out_cfd_m_picked"
    descended = [group for group in groups if group[key] is not None]
    idle = sum(group[key] >= group["held_out_cfd_m_start"] for group in descended)
    if idle:
        where = f"in {idle} of {len(descended)} groups " if len(groups) > 1 else ""
        found.append(f"The descent did not help {where}and left the rows that it began with.")
    residuals = [group["eigen_residual"] or 0.0 for group in groups]
    if residuals and max(residuals) > _core.EIGEN_TOL:
        found.append(
            f"Spectral components were found to a residual of {max(residuals):.0e} only, "
            f"not {_core.EIGEN_TOL:.0e}, and are damped by it."
        )
    return found


def class_counts(
    indices: NDArray[np.int64],
    codes: NDArray[np.int64] | None,
    classes: NDArray[Any] | None,
    *,
    kept: NDArray[np.int64] | None = None,
) -> list[dict[str, Any]] | None:
    """Rows (those `kept`, or all) and selected rows of each class; None without labels."""
    if codes is None or classes is None:
        return None
    rows = np.bincount(codes if kept is None else codes[kept], minlength=classes.size)
    selected = np.bincount(codes[indices], minlength=classes.size)
    return [
        {"label": plain(label), "n_rows": int(n), "selected": int(m)}
        for label, n, m in zip(classes, rows, selected, strict=True)
    ]


def empty_classes(classes: list[dict[str, Any]] | None) -> list[str]:
    """A note where classes have no row that can be selected."""
    empty = sum(entry["n_rows"] == 0 for entry in classes or [])
    if not empty:
        return []
    return [f"All rows of {counted(empty, 'class', 'classes')} hold NaN or infinity: left out."]


def ranked(quality: dict[str, Any]) -> dict[str, Any]:
    """Add to each random figure how many of the draws the selection beats, and loses to.

    Those that are left are equal to it.
    """
    for key in RIVALS:
        for metric, drawn in (quality[key] or {}).items():
            own = quality["selection"][metric]
            ahead = [_ahead(metric, own, value) for value in drawn["values"]]
            drawn["beaten"], drawn["lost"] = ahead.count(1), ahead.count(-1)
    return quality


def _ahead(metric: str, own: float, value: float) -> int:
    """1 where a selection's figure is nearer to 0 than a draw's, -1 where it is farther off."""
    if metric == "mmd2":
        # An unbiased estimate of what is never below 0: how far it falls below says nothing.
        own, value = max(own, 0.0), max(value, 0.0)
    if abs(own - value) <= ROUNDING * max(abs(own), abs(value), 1.0):
        return 0
    return 1 if own < value else -1


def verdict(quality: dict[str, Any]) -> str:
    """The CF distance beside random picks in one plain sentence, and in others what is worse."""
    kind = "stratified" if quality["stratified"] else "random"
    drawn = quality[kind]
    if not drawn:
        return "Not compared with random selections."
    cfd = drawn["cfd_m"]
    draws = len(cfd["values"])
    pick = "a stratified random pick's" if kind == "stratified" else "a random pick's"
    beside = _beside(quality["selection"]["cfd_m"], cfd["mean"], pick)
    told = f"CF distance on unseen frequencies is {beside}, {_among(cfd)}"
    if draws < ENOUGH_DRAWS:
        return f"Too few draws to tell: {told}."
    # A random pick itself beats 98 of 100 draws in 3 of 101 cases, all of 20 in 1 of 21.
    if cfd["beaten"] >= 0.98 * draws:
        start = "Better than random"
    elif cfd["lost"] == draws:
        start = "Worse than random"
    else:
        start = "No better than random here"
    sentence = f"{start}: {told} draws."
    if start == "Better than random":
        sentence += beside_blocks(quality)
    lost = [name for name in METRICS if name in drawn and drawn[name]["lost"] == draws]
    worst = [METRICS[name] for name in lost if name != "cfd_m"]
    if worst and "cfd_m" not in lost:
        word = "And" if " But " in sentence else "But"
        sentence += f" {word} worse than all {draws} draws in {' and '.join(worst)}."
    return sentence


def beside_blocks(quality: dict[str, Any]) -> str:
    """What speaks against a selection beside picks stratified by blocks; empty where nothing does.

    Such a pick costs nothing but the cut, so it is not enough to be better than a random one.
    """
    drawn = quality["stratified_by_blocks"]
    if not drawn:
        return ""
    cfd = drawn["cfd_m"]
    draws = len(cfd["values"])
    if cfd["beaten"] == draws or draws < ENOUGH_DRAWS:
        return ""
    beside = _beside(quality["selection"]["cfd_m"], cfd["mean"], "their CF distance")
    start = "worse" if cfd["lost"] == draws else "no better"
    rows = f"random rows of each of {quality['n_blocks']} blocks"
    return f" But {start} than {rows}: {beside}, {_among(cfd)} draws."


def _beside(own: float, mean: float, whose: str) -> str:
    """A figure as a share of the mean of draws, or beside it where that is 0."""
    if mean > ROUNDING:
        return f"{figure(own / mean, 2)} of {whose}"
    return f"{figure(own) if own > ROUNDING else 'as good as 0'} where {whose} is as good as 0"


def _among(cfd: dict[str, Any]) -> str:
    """In how many draws it is larger, or if not in all of them smaller, and in how many equal."""
    draws, beaten, lost = len(cfd["values"]), cfd["beaten"], cfd["lost"]
    side, number = ("more", draws) if lost == draws else ("less", beaten)
    every = "the only one" if draws == 1 else f"all {draws}"
    among = f"{side} than in {every if number == draws else f'{number} of {draws}'}"
    ties = draws - beaten - lost
    return f"{among}, equal in {ties}" if ties else among
