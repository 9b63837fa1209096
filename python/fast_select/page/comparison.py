"""Several reports side by side: one quantity a row, one report a column."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .._text import counted, figure, shortened
from ..report import METRICS
from .told import Told

LISTED = (
    "cfd_m", "moment_1", "moment_2", "moment_3", "moment_4", "coverage_mean", "coverage_max",
)  # fmt: skip
"""Errors that stand beside each other."""

Row = tuple[str, list[str]]


def comparison(tolds: Sequence[Told]) -> list[Row]:
    """What is compared, and the cell of each report."""

    def row(name: str, cell: Callable[[Told], str]) -> Row:
        return name, [cell(told) for told in tolds]

    rows = [
        row("selected", lambda told: told.headline),
        row("verdict", lambda told: told.report["verdict"].split(":")[0].rstrip(".")),
        *((METRICS[m], [_error(told, m) for told in tolds]) for m in LISTED),
        row("CF distance, of a random pick's", _beside),
        row("draws that it beats", _beaten),
        row("wall time (s)", lambda told: figure(told.report["totals"]["wall_s"], 2)),
        row(
            "energy (J)",
            lambda told: (
                f"{figure(told.report['totals']['joules'], 2)} ({told.report['energy']['source']})"
            ),
        ),
        row("instruction set", lambda told: told.report["tool"]["instruction_set"]),
        *_options(tolds),
    ]
    return [(name, cells) for name, cells in rows if any(cells)]


def _error(told: Told, metric: str) -> str:
    own = told.report["quality"]["selection"]
    return figure(own[metric]) if metric in own else ""


def _beside(told: Told) -> str:
    drawn = told.drawn_cfd
    if drawn is None or not drawn["mean"] > 0:
        return ""
    kind = " (stratified)" if told.rival == "stratified" else ""
    own = told.report["quality"]["selection"]["cfd_m"]
    return f"{figure(own / drawn['mean'], 2)}{kind}"


def _beaten(told: Told) -> str:
    drawn = told.drawn_cfd
    return "" if drawn is None else f"{drawn['beaten']} of {counted(len(drawn['values']), 'draw')}"


def _options(tolds: Sequence[Told]) -> list[Row]:
    """The options in which they differ."""
    given = [told.report["options"] for told in tolds]
    names = dict.fromkeys(name for options in given for name in options)
    rows = []
    for name in names:
        values = [options.get(name) for options in given]
        if any(value != values[0] for value in values):
            cells = ["" if value is None else shortened(str(value)) for value in values]
            rows.append((f"option {name}", cells))
    return rows
