"""Pictures of rows: of which classes, where they lie, and how far from their pick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.cells import cell_len

from .._text import counted, figure, shortened
from .legend import Key, Panel
from .plot import COLOURS, N_CLASSES, WIDTH, picture
from .series import line_of, selection_keys
from .told import Told

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CLASSES = 12
"""Classes that have a bar."""

LABEL_CELLS = 16
"""Width of a class's label; letters of Chinese take two."""

CELL = 0.62 * 10 / 72
"""Inches that a letter takes, with some room."""


def distance_panel(tolds: Sequence[Told]) -> Panel | str:
    """How far rows are from the selected row that is nearest, as a curve of quantiles."""
    title = "How far rows are from their pick"
    told = [(k, t.report["quality"]["distances"]) for k, t in enumerate(tolds)]
    shown = [(k, each) for k, each in told if each]
    if not shown:
        return f"{title}: the report has no 'distances'."

    def draw(canvas: Figure) -> None:
        axes = canvas.add_subplot()
        for place, each in shown:
            levels = np.array(each["levels"]) * 100
            if each["random"] and len(tolds) == 1:
                axes.plot(levels, each["random"], color=COLOURS["random"], linestyle="--")
            axes.plot(levels, each["selection"], **line_of(tolds, place))
        axes.set_xlim(0, 100)
        axes.set_ylim(0, None if any(max(each["selection"]) > 0 for _, each in shown) else 1)
        axes.set_xlabel("rows that are nearer than this (%)")
        axes.set_ylabel("distance (median of rows = 1)")

    keys = selection_keys(tolds)
    if len(tolds) == 1 and shown[0][1]["random"]:
        keys.append(Key("random", "random picks, mean", "dashes"))
    words = ". ".join(
        f"{tolds[k].name}: "
        * (len(tolds) > 1)
        + f"half of the rows are nearer than {figure(float(np.median(e['selection'])), 3)}, "
        f"all nearer than {figure(max(e['selection']), 3)}"
        for k, e in shown
        if e["selection"]
    )
    sampled = tolds[shown[0][0]].report["quality"]["coverage_rows"]
    remark = f"Of {counted(sampled, 'sampled row')}." if sampled else ""
    return Panel(title, picture("distances", title, words, draw), keys, remark)


def class_panel(told: Told, slug: str = "classes") -> Panel | str:
    """How many rows each class gave, beside its share of the rows."""
    title = "Rows of each class"
    classes = told.report["selection"]["classes"]
    if not classes:
        return f"{title}: no labels were given."
    n_rows = sum(entry["n_rows"] for entry in classes)
    share = sum(entry["selected"] for entry in classes) / n_rows if n_rows else 0.0
    expected = [entry["n_rows"] * share for entry in classes]
    shown = list(range(len(classes)))
    remark = ""
    if len(classes) > MOST_CLASSES:
        apart = [abs(e["selected"] - x) for e, x in zip(classes, expected, strict=True)]
        shown = sorted(sorted(shown, key=lambda k: -apart[k])[:MOST_CLASSES])
        remark = (
            f"{MOST_CLASSES} of {len(classes):,} classes: those whose rows differ most from what "
            "is in proportion."
        )
    labels = [_fitted(shortened(str(classes[k]["label"]))) for k in shown]

    def draw(canvas: Figure) -> None:
        canvas.set_layout_engine(None)
        left = 0.15 + CELL * max(map(cell_len, labels))
        height = canvas.get_figheight()
        canvas.subplots_adjust(left / WIDTH, 0.48 / height, 1 - 0.12 / WIDTH, 1 - 0.08 / height)
        axes = canvas.add_subplot()
        y = np.arange(len(shown))[::-1]
        own = [classes[k]["selected"] for k in shown]
        axes.barh(y, own, 0.62, color=COLOURS["selection"])
        axes.scatter([expected[k] for k in shown], y, s=130, marker="|", linewidths=2,
                     color=COLOURS["ink"], zorder=3)  # fmt: skip
        axes.set_xlim(0, 1.06 * max([1, *own, *(expected[k] for k in shown)]))
        axes.set_ylim(-0.6, len(shown) - 0.4)
        axes.set_yticks(y, labels, parse_math=False)
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.locator_params(axis="x", nbins=5, integer=True)
        axes.set_xlabel("selected rows (number)")

    words = "; ".join(
        f"{shortened(str(classes[k]['label']))}: {classes[k]['selected']} of {classes[k]['n_rows']}"
        for k in shown
    )
    keys = [Key("selection", "selected", "block"), Key("ink", "in proportion to its rows", "bar")]
    height = 0.7 + 0.24 * max(4, len(shown))
    return Panel(title, picture(slug, title, words, draw, height=height), keys, remark)


def _fitted(label: str) -> str:
    """The beginning of a label that is wide."""
    if cell_len(label) <= LABEL_CELLS:
        return label
    kept = label
    while cell_len(kept) > LABEL_CELLS - 1:
        kept = kept[:-1]
    return f"{kept}…"


def map_panel(told: Told, slug: str = "map") -> Panel | str:
    """Rows and picks on the plane in which the rows spread most."""
    title = "Map of rows and picks"
    found = told.report["map"]
    if not found:
        return f"{title}: the report has no 'map'."
    rows, picks = found["rows"], found["selected"]
    classes = told.report["selection"]["classes"] or []
    by_class = bool(picks["class"] and rows["class"] and 1 < len(classes) <= N_CLASSES)

    def draw(canvas: Figure) -> None:
        axes = canvas.add_subplot()
        if by_class:
            for code in range(len(classes)):
                _dots(axes, rows, code, f"class-{code}", size=2.2, alpha=0.35)
            # Paper around each pick tells it from the rows below.
            _dots(axes, picks, None, "card", size=5.6)
            for code in range(len(classes)):
                _dots(axes, picks, code, f"class-{code}", size=4.2)
        else:
            _dots(axes, rows, None, "random", size=2.2, alpha=0.5)
            _dots(axes, picks, None, "card", size=4.8)
            _dots(axes, picks, None, "selection", size=3.4)
        axes.margins(0.04)
        axes.autoscale()
        axes.grid(visible=False)
        axes.locator_params(nbins=5)
        for name, share, which in zip("xy", found["explained"], ("1st", "2nd"), strict=True):
            label = (
                f"{which} component, {share * 100:.3g} % of variance\n(median distance of rows = 1)"
            )
            axes.set(**{f"{name}label": label})

    words = (
        f"{counted(len(rows['x']), 'row')} and {counted(len(picks['x']), 'selected row')} on the "
        f"first two principal components, which have {sum(found['explained']) * 100:.3g} % of the "
        "variance"
    )
    keys = [Key("random", "a row", "speck"), Key("selection", "a selected row", "dot")]
    if by_class:
        keys = [Key("ink", "small, pale: a row", "speck"), Key("ink", "large: selected", "dot")]
        keys += [
            Key(f"class-{code}", shortened(str(entry["label"])), "dot", is_name=True)
            for code, entry in enumerate(classes)
        ]
    thinned = [
        f"{len(points['x']):,} of {total:,} {name}"
        for points, total, name in ((rows, told.n_rows, "rows"), (picks, told.count, "picks"))
        if len(points["x"]) < total
    ]
    remark = "Principal components (PCA)."
    if thinned:
        remark += f" At random: {' and '.join(thinned)}."
    if classes and not by_class and len(classes) > N_CLASSES:
        remark += f" Of more than {N_CLASSES} classes none has a colour."
    return Panel(title, picture(slug, title, words, draw, height=3.4), keys, remark)


def _dots(
    axes: Axes,
    points: dict[str, Any],
    code: int | None,
    colour: str,
    *,
    size: float,
    alpha: float = 1.0,
) -> None:
    """Points, or those of a class, as one path of lines that have no length: a tenth of the size
    of as many markers.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    xy = np.array([points["x"], points["y"]]).T
    if code is not None:
        xy = xy[np.array(points["class"]) == code]
    if not len(xy):
        return
    path = Path(np.repeat(xy, 2, axis=0), np.tile([Path.MOVETO, Path.LINETO], len(xy)))
    path.should_simplify = False
    axes.add_patch(PathPatch(path, fill=False, edgecolor=COLOURS[colour], linewidth=size,
                             alpha=alpha, capstyle="round"))  # fmt: skip
