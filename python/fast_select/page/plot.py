"""Pictures by matplotlib as elements of a page: SVG in the colours of its style sheet.

Colours are drawn as stand-ins, which become the style sheet's variables: light, dark and print have
their own. Text stays text, in the page's font.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from .._arrays import Refuse

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 4.4, 3.0
"""Inches. A card is about as wide at 96 pixels an inch, so that letters keep their size."""

POINTS = 72
"""Of an inch, in which drawings are written."""

N_CLASSES = 10
"""Classes that have a colour of their own."""
N_REPORTS = 6
"""Reports that have a colour of their own."""

COLOURS = {
    name: f"#0000{place:02x}"
    for place, name in enumerate(
        [
            "ink",
            "soft",
            "rule",
            "card",
            "selection",
            "random",
            *(f"class-{k}" for k in range(N_CLASSES)),
            *(f"report-{k}" for k in range(N_REPORTS)),
        ],
        start=1,
    )
}
"""Colours of the style sheet, and what stands for them while a picture is drawn."""

STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fast-select",
    "font.size": 10.0,
    "axes.titlesize": 10.0,
    "text.color": COLOURS["ink"],
    "text.parse_math": False,
    "axes.labelcolor": COLOURS["ink"],
    "axes.edgecolor": COLOURS["soft"],
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": COLOURS["rule"],
    "grid.linewidth": 0.8,
    "xtick.color": COLOURS["soft"],
    "ytick.color": COLOURS["soft"],
    "xtick.labelcolor": COLOURS["ink"],
    "ytick.labelcolor": COLOURS["ink"],
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "hatch.color": COLOURS["card"],
}


def check_matplotlib(refuse: Refuse) -> None:
    """Refuse a page where matplotlib is missing."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as err:
        fix = "Install it with pip install 'fast-select[report]'"
        raise refuse("needs matplotlib for its pictures", fix) from err


def picture(
    slug: str,
    title: str,
    description: str,
    draw: Callable[[Figure], object],
    *,
    height: float = HEIGHT,
) -> str:
    """What `draw` draws on an empty figure, as an SVG element that is described in words.

    `slug`: a word that no other picture of the page has, for the names within it.
    """
    from matplotlib import style
    from matplotlib.figure import Figure

    file = io.BytesIO()
    with style.context(["default", STYLE]), warnings.catch_warnings():
        # Of letters that the font lacks by which room is measured, though the page's has them, and
        # of numbers too large to be drawn: nobody can do anything about either.
        warnings.simplefilter("ignore")
        figure = Figure(figsize=(WIDTH, height), dpi=POINTS, layout="constrained")
        draw(figure)
        _number_plainly(figure)
        figure.savefig(file, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(file.getvalue())
    return _element(root, slug, title, description)


def _number_plainly(figure: Figure) -> None:
    """Whole numbers on the axes: a power of ten apart from them may lie over the axis's name."""
    from matplotlib.ticker import FuncFormatter, ScalarFormatter

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_formatter(), ScalarFormatter):
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _element(root: ElementTree.Element, slug: str, title: str, description: str) -> str:
    """The drawing as a part of HTML: no names that are not used, and none of another's."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
    for parent in list(root.iter()):
        # What is said of all elements of a drawing, is said in the style sheet.
        parent[:] = [child for child in parent if child.tag not in ("metadata", "style")]
    uses = set(re.findall(r"#([\w.-]+)", " ".join(_values(root))))
    for element in root.iter():
        attributes = element.attrib
        if attributes.get("id") not in uses:
            attributes.pop("id", None)
        for key, value in attributes.items():
            attributes[key] = _rewritten(key, value, slug)
    size = root.attrib["viewBox"]
    inner = "".join(ElementTree.tostring(child, encoding="unicode").strip() for child in root)
    inner = re.sub(r">\s*\n\s*<", "><", inner)
    return (
        f'<svg class="plot" role="img" viewBox="{size}" '
        f'aria-labelledby="{slug}-title {slug}-desc">'
        f'<title id="{slug}-title">{html.escape(title)}</title>'
        f'<desc id="{slug}-desc">{html.escape(description)}</desc>{inner}</svg>'
    )


def _values(root: ElementTree.Element) -> list[str]:
    """Where names may be used."""
    return [
        value
        for element in root.iter()
        for key, value in element.attrib.items()
        if key in ("href", "clip-path", "style", "fill")
    ]


def _rewritten(key: str, value: str, slug: str) -> str:
    """An attribute with the page's colours, its font, names of this picture, and short numbers."""
    if key == "id":
        return f"{slug}-{value}"
    if key == "href" and value.startswith("#"):
        return f"#{slug}-{value[1:]}"
    value = value.replace("url(#", f"url(#{slug}-")
    if key == "style":
        for name, stand_in in COLOURS.items():
            value = value.replace(stand_in, f"var(--{name})")
        # The shorthand would name a font.
        value = re.sub(r"font: ([\d.]+px)[^;]*", r"font-size: \1", value)
    if key == "d":
        value = re.sub(r"(\.\d\d)\d+", r"\1", " ".join(value.split()))
        # A point is a line of no length, whose ends are round.
        value = re.sub(r"M (\S+ \S+) L \1(?= |$)", r"M\1h0", value)
        value = re.sub(r" ?([MLCQZ]) ?", r"\1", value)
    return value
