"""Pictures of what a run took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._text import figure
from .legend import Panel
from .plot import COLOURS, picture
from .told import Told

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def stage_panel(told: Told, slug: str = "stages") -> Panel | str:
    """Seconds and joules of each stage."""
    title = "Time and energy by stage"
    stages = told.report["stages"]
    if not stages:
        return f"{title}: the report has no stages."
    is_measured = told.report["energy"]["source"] != "estimated"
    joules = "joules (J)" if is_measured else "joules (J), estimated"
    bars = [("wall_s", "wall time (s)", "selection"), ("joules", joules, "random")]

    def draw(canvas: Figure) -> None:
        names = [stage["name"] for stage in stages]
        y = range(len(stages) - 1, -1, -1)
        canvas.set_layout_engine("constrained", w_pad=0.1)
        for place, axes in enumerate(canvas.subplots(1, len(bars), sharey=True, squeeze=False)[0]):
            key, label, colour = bars[place]
            values = [stage[key] for stage in stages]
            axes.barh(y, values, 0.6, color=COLOURS[colour])
            axes.set_yticks(y, names)
            axes.tick_params(axis="y", length=0)
            axes.grid(visible=False, axis="y")
            axes.set_xlim(0, 1.08 * max(values) or 1.0)
            axes.locator_params(axis="x", nbins=3)
            axes.set_xlabel(label)

    words = "; ".join(
        f"{stage['name']} {figure(stage['wall_s'], 2)} s, {figure(stage['joules'], 2)} J"
        for stage in stages
    )
    height = 0.9 + 0.28 * max(4, len(stages))
    return Panel(title, picture(slug, title, words, draw, height=height))
