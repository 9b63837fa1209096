"""The picture of the verdict: the CF distances of random selections, and where a selection's is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._text import figure
from ..report import RIVALS
from .legend import Key, Panel
from .plot import COLOURS, HEIGHT, picture
from .series import PICKS, report_colour
from .told import Told, common_rival

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_DOTS = 100
"""Draws that are shown one by one; more become bars."""

BINS = 48
"""Into which the axis is cut to see how draws lie."""


@dataclass(frozen=True)
class Strip:
    """A row of the picture of the verdict: draws, and a selection's mark."""

    label: str
    values: Sequence[float]
    mark: float | None
    colour: str


def verdict_panel(tolds: Sequence[Told]) -> Panel | str:
    """The CF distances of random selections, and of each selection; or why there are none."""
    title = "CF distance beside random picks"
    if not any(told.rival for told in tolds):
        return f"{title}: no random selections were made (--random 0)."
    strips = _strips_of_one(tolds[0]) if len(tolds) == 1 else _strips_of_several(tolds)
    most = max([0.0, *(v for s in strips for v in (*s.values, s.mark or 0.0))])

    def draw(canvas: Figure) -> None:
        axes = canvas.add_subplot()
        axes.set_xlim(-0.02 * (most or 1.0), 1.06 * (most or 1.0))
        for place, strip in enumerate(strips):
            _draw_strip(axes, len(strips) - 1 - place, strip, most or 1.0)
        axes.set_ylim(-0.6, len(strips) - 0.4)
        axes.set_yticks(range(len(strips)), [strip.label for strip in reversed(strips)])
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        if len(tolds) == 1:
            own = tolds[0].report["quality"]["selection"]["cfd_m"]
            axes.axvline(own, color=COLOURS["selection"], linewidth=1.2, alpha=0.6, zorder=1)
        axes.set_xlabel("CF distance × m (no unit; 0: as the whole)")

    keys = [Key("random", "a random pick", "dot"), Key("ink", "their mean", "bar")]
    if len(tolds) == 1:
        keys.insert(0, Key("selection", "the selection", "diamond"))
    else:
        keys.insert(0, Key("ink", "a selection", "diamond"))
    height = max(HEIGHT * 0.8, 0.9 + 0.5 * len(strips))
    drawing = picture("verdict", title, _verdict_words(tolds), draw, height=height)
    return Panel(title, drawing, keys)


def _strips_of_one(told: Told) -> list[Strip]:
    quality = told.report["quality"]
    own = quality["selection"]["cfd_m"]
    strips = [Strip(f"selection\n{figure(own, 3)}", (), own, "selection")]
    for kind, name in RIVALS.items():
        if quality[kind] and "cfd_m" in quality[kind]:
            drawn = quality[kind]["cfd_m"]
            label = f"{name}\n{figure(drawn['mean'], 3)}"
            strips.append(Strip(label, drawn["values"], None, "random"))
    return strips


def _strips_of_several(tolds: Sequence[Told]) -> list[Strip]:
    strips, kind = [], common_rival(tolds)
    for place, told in enumerate(tolds):
        quality = told.report["quality"]
        own = quality["selection"]["cfd_m"]
        drawn = (quality[kind] or {}).get("cfd_m")
        values = drawn["values"] if drawn else ()
        strips.append(Strip(f"{place + 1}: {figure(own, 3)}", values, own, report_colour(place)))
    return strips


def _draw_strip(axes: Axes, y: float, strip: Strip, most: float) -> None:
    values = np.asarray(strip.values, dtype=float)
    if values.size > MOST_DOTS:
        counts, edges = np.histogram(values, bins=BINS, range=(0.0, most * 1.000001))
        heights = 0.7 * counts / counts.max()
        axes.bar(edges[:-1], heights, np.diff(edges), y - 0.35, align="edge",
                 color=COLOURS["random"], linewidth=0, zorder=2)  # fmt: skip
    elif values.size:
        axes.scatter(values, y + _stacked(values, most), s=15, color=COLOURS["random"],
                     linewidths=0, alpha=0.85, zorder=2)  # fmt: skip
    if values.size:
        ends = [y - 0.42, y + 0.42]
        axes.plot([values.mean()] * 2, ends, color=COLOURS["ink"], linewidth=1.6, zorder=3)
    if strip.mark is not None:
        axes.scatter([strip.mark], [y], s=70, marker="D", color=COLOURS[strip.colour],
                     edgecolors=COLOURS["card"], linewidths=1.2, zorder=4,
                     clip_on=False)  # fmt: skip


def _stacked(values: NDArray[np.float64], most: float) -> NDArray[np.float64]:
    """Heights at which dots of values that are near each other lie one above the other."""
    bins = np.clip((values / most * BINS).astype(int), 0, BINS)
    heights = np.zeros(values.size)
    tallest = np.bincount(bins).max()
    step = min(0.16, 0.8 / tallest)
    for each in np.unique(bins):
        inside = np.flatnonzero(bins == each)
        heights[inside] = step * (np.arange(inside.size) - (inside.size - 1) / 2)
    return heights


def _verdict_words(tolds: Sequence[Told]) -> str:
    parts = []
    for told in tolds:
        quality = told.report["quality"]
        words = [f"Selection {figure(quality['selection']['cfd_m'])}"]
        for kind in RIVALS if len(tolds) == 1 else [common_rival(tolds)]:
            if kind and quality[kind] and "cfd_m" in quality[kind]:
                words.append(_drawn_words(PICKS[kind], quality[kind]["cfd_m"]))
        parts.append((f"{told.name}: " if len(tolds) > 1 else "") + "; ".join(words))
    return ". ".join(parts)


def _drawn_words(name: str, drawn: dict[str, Any]) -> str:
    values = drawn["values"]
    ends = f"{figure(min(values))} to {figure(max(values))}, mean {figure(drawn['mean'])}"
    return f"{len(values)} {name} {ends}"
