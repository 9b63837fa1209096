"""Pictures of how near a selection's distribution is to the whole one's, beside random ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .._text import figure
from ..report import METRICS
from .legend import Key, Panel
from .plot import COLOURS, picture
from .series import PICKS, by_radius, line_of, plain_log, selection_keys
from .told import Told, common_rival

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAWN_BESIDE = (
    "moment_1",
    "moment_2",
    "moment_3",
    "moment_4",
    "cell_cfd_m",
    "coverage_mean",
    "coverage_max",
)
"""Errors that are shown beside the draws."""


def frequency_panel(tolds: Sequence[Told]) -> Panel | str:
    """|phi| of the whole, a selection and a random pick against frequency."""
    title = "Characteristic function"
    told = [(k, t.report["quality"]["characteristic_function"]) for k, t in enumerate(tolds)]
    shown = [(k, cf) for k, cf in told if cf]
    if not shown:
        return f"{title}: the report has no 'characteristic_function'."
    alike = all(
        cf["radii"] == shown[0][1]["radii"] and np.allclose(cf["whole"], shown[0][1]["whole"])
        for _, cf in shown
    )

    def draw(canvas: Figure) -> None:
        axes = canvas.add_subplot()
        for place, cf in shown:
            if alike and place == shown[0][0]:
                axes.plot(cf["radii"], cf["whole"], color=COLOURS["ink"], linewidth=5, alpha=0.3,
                          solid_capstyle="round")  # fmt: skip
            if not alike:
                axes.plot(cf["radii"], cf["whole"], color=line_of(tolds, place)["color"],
                          linewidth=5, alpha=0.3)  # fmt: skip
            if cf["random"] and len(tolds) == 1:
                axes.plot(cf["radii"], cf["random"], color=COLOURS["random"], linestyle="--",
                          marker="o", markersize=4)  # fmt: skip
            axes.plot(cf["radii"], cf["selection"], marker="D", markersize=4,
                      **line_of(tolds, place))  # fmt: skip
        by_radius(axes, shown[0][1]["radii"])
        axes.set_ylim(0, 1.03)
        axes.set_ylabel("mean of |φ| (no unit)")

    keys = [Key("ink", "all rows", "band")] if alike else [Key("soft", "all its rows", "band")]
    keys += selection_keys(tolds)
    if len(tolds) == 1 and shown[0][1]["random"]:
        keys.append(Key("random", "random picks, mean", "dashes"))
    words = ". ".join(
        f"{tolds[k].name}: " * (len(tolds) > 1)
        + "; ".join(
            f"at {r:g} whole {figure(w, 3)}, selection {figure(s, 3)}"
            for r, w, s in zip(cf["radii"], cf["whole"], cf["selection"], strict=True)
        )
        for k, cf in shown
    )
    return Panel(title, picture("frequency", title, f"Mean modulus by radius: {words}", draw), keys)


def error_panel(tolds: Sequence[Told]) -> Panel | str:
    """The CF distance at each radius, beside the draws."""
    title = "Error by frequency"
    start = "cfd_m_radius_"
    shown = []
    for place, told in enumerate(tolds):
        own = told.report["quality"]["selection"]
        radii = sorted(float(name.removeprefix(start)) for name in own if name in METRICS
                       and name.startswith(start))  # fmt: skip
        if radii:
            shown.append((place, radii, [own[f"{start}{r:g}"] for r in radii]))
    if not shown:
        return f"{title}: the report has no CF distances by radius."
    values = [v for _, _, own in shown for v in own]
    draws = _draws_by_radius(tolds[0], shown[0][1]) if len(tolds) == 1 else None

    def draw(canvas: Figure) -> None:
        axes = canvas.add_subplot()
        if draws is not None:
            radii = shown[0][1]
            axes.fill_between(radii, draws.min(1), draws.max(1), color=COLOURS["random"],
                              alpha=0.3, linewidth=0)  # fmt: skip
            axes.plot(radii, draws.mean(1), color=COLOURS["random"], linestyle="--", marker="o",
                      markersize=4)  # fmt: skip
        for place, radii, own in shown:
            axes.plot(radii, own, marker="D", markersize=4, **line_of(tolds, place))
        if min(values) > 0 and (draws is None or draws.min() > 0):
            axes.set_yscale("log")
            plain_log(axes.yaxis)
        else:
            axes.set_ylim(0, None if max(values) > 0 else 1)
        by_radius(axes, shown[0][1])
        axes.set_ylabel("CF distance × m (no unit)")

    keys = selection_keys(tolds)
    if draws is not None:
        keys.append(Key("random", f"{PICKS[str(tolds[0].rival)]}: mean and range", "dashes"))
    words = ". ".join(
        f"{tolds[k].name}: " * (len(tolds) > 1)
        + ", ".join(f"{figure(v)} at {r:g}" for r, v in zip(radii, own, strict=True))
        for k, radii, own in shown
    )
    return Panel(title, picture("error", title, f"CF distance by radius: {words}", draw), keys)


def _draws_by_radius(told: Told, radii: Sequence[float]) -> NDArray[np.float64] | None:
    """CF distances of the draws at each radius, (radii, draws)."""
    drawn = (told.report["quality"][told.rival] if told.rival else None) or {}
    names = [f"cfd_m_radius_{r:g}" for r in radii]
    return np.array([drawn[n]["values"] for n in names]) if drawn.keys() >= set(names) else None


def moment_panel(tolds: Sequence[Told]) -> Panel | str:
    """Errors of moments and coverage in units of a random pick's."""
    title, rival = "Moments and coverage", common_rival(tolds)
    names, own = [], []
    for metric in DRAWN_BESIDE:
        cells = [_over_mean(told, rival, metric) for told in tolds]
        if any(cell is not None for cell in cells):
            names.append(metric)
            own.append(cells)
    if not names:
        return f"{title}: no random selections, or none with errors, to set them beside."
    draws = {}
    if len(tolds) == 1:
        drawn = tolds[0].report["quality"][str(tolds[0].rival)]
        draws = {m: np.array(drawn[m]["values"]) / drawn[m]["mean"] for m in names}

    def draw(canvas: Figure) -> None:
        axes = canvas.add_subplot()
        for place, (metric, cells) in enumerate(zip(names, own, strict=True)):
            y = len(names) - 1 - place
            if metric in draws:
                axes.scatter(draws[metric], np.full(draws[metric].size, y), s=60, marker="|",
                             color=COLOURS["random"], linewidths=1.2, zorder=2)  # fmt: skip
            for k, cell in enumerate(cells):
                if cell is not None:
                    shift = 0.0 if len(tolds) == 1 else 0.5 * (0.5 - (k + 0.5) / len(tolds))
                    axes.scatter([cell], [y + shift], s=45, marker="D",
                                 color=line_of(tolds, k)["color"], edgecolors=COLOURS["card"],
                                 linewidths=0.8, zorder=4)  # fmt: skip
        axes.axvline(1.0, color=COLOURS["ink"], linewidth=1.2, zorder=1)
        axes.set_xlim(left=0)
        axes.locator_params(axis="x", nbins=6)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.set_yticks(range(len(names)), [_short(m) for m in reversed(names)])
        axes.tick_params(axis="y", length=0)
        pick = "a stratified pick's" if rival == "stratified" else "a random pick's"
        axes.set_xlabel(f"error, in units of {pick} mean error")

    keys = selection_keys(tolds, "diamond")
    if draws:
        keys.append(Key("random", PICKS[str(tolds[0].rival)], "tick"))
    words = "; ".join(
        f"{METRICS[m]} " + ", ".join("none" if c is None else figure(c, 2) for c in cells)
        for m, cells in zip(names, own, strict=True)
    )
    about = f"Errors as multiples of the mean of random picks: {words}"
    return Panel(title, picture("moments", title, about, draw, height=3.0), keys)


def _short(metric: str) -> str:
    return METRICS[metric].replace(" (sampled)", "").replace("CF distance", "CF dist.")


def _over_mean(told: Told, rival: str | None, metric: str) -> float | None:
    """An error as a multiple of the draws' mean; None where there is none, or nothing to divide."""
    quality = told.report["quality"]
    drawn = ((quality[rival] if rival else None) or {}).get(metric)
    if not drawn or metric not in quality["selection"] or not drawn["mean"] > 0:
        return None
    return float(quality["selection"][metric] / drawn["mean"])


def ranking_panel(told: Told, slug: str = "ranking") -> Panel | str:
    """What the first rows are worth beside selections and random rows of as many."""
    title = "The first rows by rank"
    ranking = told.report["selection"]["ranking"]
    if not ranking:
        return ""
    kinds = (("prefix", "selection", "-", "D"), ("selected", "ink", ":", "s"),
             ("random", "random", "--", "o"))  # fmt: skip

    def draw(canvas: Figure) -> None:
        axes = canvas.add_subplot()
        for kind, colour, line, marker in kinds:
            points = [(e["share"] * 100, e[kind]["cfd_m"]) for e in ranking if e[kind]]
            if points:
                axes.plot(*zip(*points, strict=True), color=COLOURS[colour], linestyle=line,
                          marker=marker, markersize=5)  # fmt: skip
        axes.set_ylim(bottom=0)
        axes.set_xlabel("first rows by rank (% of the selection)")
        axes.set_ylabel("CF distance × m (no unit)")

    words = "; ".join(
        f"first {e['count']}: "
        + ", ".join(f"{kind} {figure(e[kind]['cfd_m'])}" for kind, *_ in kinds if e[kind])
        for e in ranking
    )
    keys = [
        Key("selection", "first rows", "line"),
        Key("ink", "a selection of as many", "dots"),
        Key("random", "random rows", "dashes"),
    ]
    return Panel(title, picture(slug, title, words, draw), keys)
