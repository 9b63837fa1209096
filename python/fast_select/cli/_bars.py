"""Small bars of a report, in what characters the stream has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from rich.cells import cell_len

from .._text import figure, shortened
from ..report import RIVALS

LONGEST, SHORTEST = 40, 10
"""Characters of the longest bar, as far as there is room."""

ASIDE = 16
"""Characters that a line takes beside its name and its bar."""

BLOCKS = ("█", "▁▂▃▄▅▆▇█", "◆")
ASCII = ("#", ".:-=+*%@", "O")
"""A piece of a bar, levels of how many draws there are, and a selection's mark."""

MOST_BARS = 12
"""Classes that have a bar."""


def bar_lines(report: dict[str, Any], stream: TextIO, room: int) -> Iterator[str]:
    """The CF distances of the draws and the selection, then seconds of stages, rows of classes.

    `room`: characters of a line.
    """
    signs = BLOCKS if _has(stream, "".join(BLOCKS)) else ASCII
    yield from _strips(report["quality"], signs, room)
    stages = [(stage["name"], stage["wall_s"]) for stage in report["stages"]]
    yield from _bars("Seconds by stage", stages, signs[0], room)
    classes = report["selection"]["classes"] or []
    if 1 < len(classes) <= MOST_BARS:
        rows = [(shortened(str(entry["label"])), entry["selected"]) for entry in classes]
        yield from _bars("Rows by class", rows, signs[0], room)


def _has(stream: TextIO, text: str) -> bool:
    """Whether a stream's encoding has these characters."""
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _strips(quality: dict[str, Any], signs: Sequence[str], room: int) -> Iterator[str]:
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
    length = _length(width, room)
    yield f"CF distance x m, from 0 to {figure(most)}: the selection and random ones"

    def place(value: float) -> int:
        return max(0, min(length - 1, int(value / most * length)))

    yield f"  {'selection':{width}} {' ' * place(own) + mark:{length}} {figure(own)}"
    for name, each in drawn.items():
        counts = [0] * length
        for value in each["values"]:
            counts[place(value)] += 1
        line = "".join(_level(count, max(counts), levels) for count in counts)
        yield f"  {name:{width}} {line} mean {figure(each['mean'])}"


def _level(count: int, most: int, levels: str) -> str:
    return levels[(count * len(levels) - 1) // most] if count else " "


def _length(names: int, room: int) -> int:
    """Characters of the longest bar, beside names of so many."""
    return max(SHORTEST, min(LONGEST, room - names - ASIDE))


def _bars(title: str, values: Sequence[tuple[str, float]], sign: str, room: int) -> Iterator[str]:
    most = max([0.0, *(value for _, value in values)])
    if not most > 0:
        return
    yield title
    width = max(cell_len(name) for name, _ in values)
    for name, value in values:
        length = max(int(value > 0), round(value / most * _length(width, room)))
        told = str(value) if isinstance(value, int) else figure(value, 2)
        yield f"  {name}{' ' * (width - cell_len(name))} {sign * length} {told}"
