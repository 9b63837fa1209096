"""Small bars of a report, in what characters the stream has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from rich.cells import cell_len

from .._text import figure, shortened
from ..report import RIVALS

WIDTH = 40
"""Characters of a bar at most."""

BLOCKS = ("█", "▁▂▃▄▅▆▇█", "◆")
ASCII = ("#", ".:-=+*%@", "O")
"""A piece of a bar, levels of how many draws there are, and a selection's mark."""

MOST_BARS = 12
"""Classes that have a bar."""


def bar_lines(report: dict[str, Any], stream: TextIO) -> Iterator[str]:
    """The CF distances of the draws and the selection, then seconds of stages, rows of classes."""
    signs = BLOCKS if _has(stream, "".join(BLOCKS)) else ASCII
    yield from _strips(report["quality"], signs)
    stages = [(stage["name"], stage["wall_s"]) for stage in report["stages"]]
    yield from _bars("Seconds by stage", stages, signs[0])
    classes = report["selection"]["classes"] or []
    if 1 < len(classes) <= MOST_BARS:
        rows = [(shortened(str(entry["label"])), entry["selected"]) for entry in classes]
        yield from _bars("Rows by class", rows, signs[0])


def _has(stream: TextIO, text: str) -> bool:
    """Whether a stream's encoding has these characters."""
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _strips(quality: dict[str, Any], signs: Sequence[str]) -> Iterator[str]:
    """A line a kind of draw, on which the selection's place is marked in one of its own."""
    _, levels, mark = signs
    own = quality["selection"]["cfd_m"]
    drawn = {
        name: quality[kind]["cfd_m"]
        for kind, name in RIVALS.items()
        if quality[kind] and "cfd_m" in quality[kind]
    }
    if not drawn:
        return
    most = max([own, *(max(each["values"]) for each in drawn.values())]) or 1.0
    width = max(map(len, ("selection", *drawn)))
    yield f"CF distance x m, from 0 to {figure(most)}: the selection and random ones"

    def place(value: float) -> int:
        return max(0, min(WIDTH - 1, int(value / most * WIDTH)))

    yield f"  {'selection':{width}} {' ' * place(own) + mark:{WIDTH}} {figure(own)}"
    for name, each in drawn.items():
        counts = [0] * WIDTH
        for value in each["values"]:
            counts[place(value)] += 1
        line = "".join(_level(count, max(counts), levels) for count in counts)
        yield f"  {name:{width}} {line} {figure(each['mean'])} in the mean"


def _level(count: int, most: int, levels: str) -> str:
    return levels[(count * len(levels) - 1) // most] if count else " "


def _bars(title: str, values: Sequence[tuple[str, float]], sign: str) -> Iterator[str]:
    most = max([0.0, *(value for _, value in values)])
    if not most > 0:
        return
    yield title
    width = max(cell_len(name) for name, _ in values)
    for name, value in values:
        length = max(int(value > 0), round(value / most * WIDTH))
        told = str(value) if isinstance(value, int) else figure(value, 2)
        yield f"  {name}{' ' * (width - cell_len(name))} {sign * length} {told}"
