"""How several reports are told apart in one picture, and what its axes share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .legend import Key
from .plot import COLOURS, N_REPORTS
from .told import Told

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINES = ("-", "--", ":")
"""How lines are drawn, once all colours are used."""

PICKS = {
    "random": "random picks",
    "stratified": "stratified random picks",
    "stratified_by_blocks": "random picks by blocks",
}
"""What random selections are called, by their kind."""


def report_colour(place: int) -> str:
    """The name of the colour of one of several reports."""
    return f"report-{place % N_REPORTS}"


def line_of(tolds: Sequence[Told], place: int) -> dict[str, Any]:
    """Colour and kind of a report's line."""
    if len(tolds) == 1:
        return {"color": COLOURS["selection"]}
    style = LINES[place // N_REPORTS % len(LINES)]
    return {"color": COLOURS[report_colour(place)], "linestyle": style}


def selection_keys(tolds: Sequence[Told], kind: str = "line") -> list[Key]:
    """What the marks of the selections are."""
    if len(tolds) == 1:
        return [Key("selection", "the selection", kind)]
    return [
        Key(report_colour(place), f"{place + 1}: {told.name}", kind, is_name=True)
        for place, told in enumerate(tolds)
    ]


def by_radius(axes: Axes, radii: Sequence[float]) -> None:
    """An axis of frequencies."""
    axes.set_xscale("log", base=2)
    axes.set_xticks(radii, [f"{r:g}" for r in radii])
    axes.minorticks_off()
    axes.set_xlabel("frequency (1 / median distance of rows)")


def plain_log(axis: Any) -> None:
    """Powers of ten without mathematical text."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(numticks=6))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
