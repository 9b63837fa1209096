"""The report: what was selected, what it took, and how good it is beside random picks."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _core

if TYPE_CHECKING:
    from .energy import Meter

SCHEMA = 1
"""Version of the report's layout; raised when a key changes its meaning or goes."""

ENOUGH_DRAWS = 20
"""With fewer, being ahead of all of them is no evidence."""

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
    "coverage_mean": "mean distance",
    "mmd2": "MMD squared",
    "sliced_wasserstein": "sliced Wasserstein",
}
"""Figures of quality and their names in tables; in all of them 0 is perfect."""


def report_on(
    x: NDArray[Any],
    prepared: dict[str, Any],
    options: dict[str, Any],
    indices: NDArray[np.int64],
    labels: tuple[NDArray[np.int64] | None, NDArray[Any] | None],
    quality: dict[str, Any],
    meter: Meter,
    **facts: Any,
) -> dict[str, Any]:
    """The report on a selection of rows of `x`; all of it can be written as JSON.

    `labels`: codes and the classes that they stand for; `facts`: what its making has to tell.
    """
    quality = ranked(quality)
    return {
        "schema": SCHEMA,
        "tool": {"name": "fast-select", **_core.info()},
        "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "input": {"shape": list(x.shape), "dtype": str(x.dtype), **prepared},
        "options": options,
        "selection": {
            "count": int(indices.size),
            "classes": class_counts(indices, *labels),
            **facts,
            "notes": [*far_outside(prepared), *notes(facts.get("groups", []))],
        },
        "quality": quality,
        "verdict": verdict(quality),
        **meter.summary(),
    }


def far_outside(prepared: dict[str, Any]) -> list[str]:
    """A sentence on rows far outside, where there are any."""
    count, listed = prepared["n_far"], prepared["far_rows"]
    if not count:
        return []
    rows = ", ".join(map(str, listed)) + ", ..." * (count > len(listed))
    many = "1 row lies" if count == 1 else f"{count} rows lie"
    return [f"{many} far outside the others ({rows}), drawn in for the comparison."]


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
) -> list[dict[str, Any]] | None:
    """Rows and selected rows of each class; None without labels."""
    if codes is None or classes is None:
        return None
    rows = np.bincount(codes, minlength=classes.size)
    selected = np.bincount(codes[indices], minlength=classes.size)
    return [
        {"label": plain(label), "n_rows": int(n), "selected": int(m)}
        for label, n, m in zip(classes, rows, selected, strict=True)
    ]


def plain(label: Any) -> Any:
    """A numpy scalar as a Python value that JSON knows."""
    value = label.item() if isinstance(label, np.generic) else label
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def ranked(quality: dict[str, Any]) -> dict[str, Any]:
    """Add to each random figure how many of the draws the selection beats, and loses to."""
    for key in RIVALS:
        for metric, drawn in (quality[key] or {}).items():
            own = quality["selection"][metric]
            drawn["beaten"] = sum(own < value for value in drawn["values"])
            drawn["lost"] = sum(own > value for value in drawn["values"])
    return quality


def verdict(quality: dict[str, Any]) -> str:
    """The CF distance beside random picks in one plain sentence, and in others what is worse."""
    kind = "stratified" if quality["stratified"] else "random"
    drawn = quality[kind]
    if not drawn:
        return "Not compared with random selections."
    cfd = drawn["cfd_m"]
    draws, beaten = len(cfd["values"]), cfd["beaten"]
    pick = "a stratified random pick" if kind == "stratified" else "a random pick"
    ratio = quality["selection"]["cfd_m"] / cfd["mean"] if cfd["mean"] > 0 else 1.0
    figure = f"CF distance on unseen frequencies is {ratio:.2f} of {pick}'s"
    side, number = ("more", draws) if cfd["lost"] == draws else ("less", beaten)
    among = f"all {draws}" if number == draws else f"{number} of {draws}"
    if draws < ENOUGH_DRAWS:
        return f"Too few draws to tell: {figure}, {side} than in {among}."
    # A random pick itself beats 98 of 100 draws in 3 of 101 cases, all of 20 in 1 of 21.
    if beaten >= 0.98 * draws:
        start = "Better than random"
    elif cfd["lost"] == draws:
        start = "Worse than random"
    else:
        start = "No better than random here"
    sentence = f"{start}: {figure}, {side} than in {among} draws."
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
    draws, beaten = len(cfd["values"]), cfd["beaten"]
    if beaten == draws or draws < ENOUGH_DRAWS:
        return ""
    ratio = quality["selection"]["cfd_m"] / cfd["mean"]
    worse = cfd["lost"] == draws
    start = "worse" if worse else "no better"
    among = f"more than in all {draws}" if worse else f"less than in {beaten} of {draws}"
    rows = f"random rows of each of {quality['n_blocks']} blocks"
    return f" But {start} than {rows}: {ratio:.2f} of their CF distance, {among} draws."
