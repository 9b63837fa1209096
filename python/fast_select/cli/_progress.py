"""Progress on stderr: bars on a terminal, a line a stage elsewhere, JSON lines, or nothing."""

from __future__ import annotations

import json
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

import click

from .._text import figure

if TYPE_CHECKING:
    from rich.progress import Progress

KINDS = ("auto", "json", "none")
INTERVAL = 0.1
"""Seconds from a line of JSON on the way to the next one."""


class StageProgress:
    """Shows the stages of a run as they begin, advance and end.

    `kind`: one of ``KINDS``; `quiet` leaves what programs read.
    """

    def __init__(self, kind: str, *, quiet: bool) -> None:
        self._kind = "none" if quiet and kind == "auto" else kind
        self._display = Display()
        self._stage, self._total = "", 0
        self._since = time.perf_counter()

    def __enter__(self) -> StageProgress:
        self._display = display(self._kind)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._end()
        self._display.close()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """`done` of `total` units of `stage`."""
        if stage != self._stage:
            self._end()
            self._stage, self._since = stage, time.perf_counter()
            self._display.begin(stage, total)
        self._total = total
        self._display.advance(stage, done, total, self._seconds())

    def _end(self) -> None:
        if self._stage:
            self._display.end(self._stage, self._total, self._seconds())

    def _seconds(self) -> float:
        return time.perf_counter() - self._since


def display(kind: str) -> Display:
    """What shows the progress of a run."""
    if kind == "none":
        return Display()
    if kind == "json":
        return JsonLines()
    if sys.stderr.isatty():
        try:
            return Bars()
        except RuntimeError:  # no thread to be had that draws them
            pass
    return Lines()


class Display:
    """A way to show stages, this one by nothing; `seconds` are those since the stage began."""

    def begin(self, stage: str, total: int) -> None:
        """A stage begins."""

    def advance(self, stage: str, done: int, total: int, seconds: float) -> None:
        """A part of it is done."""

    def end(self, stage: str, total: int, seconds: float) -> None:
        """All of it is done."""

    def close(self) -> None:
        """Nothing more is to come."""


class Lines(Display):
    """A line a stage, once it has ended."""

    def end(self, stage: str, total: int, seconds: float) -> None:
        """Print its time."""
        click.echo(f"{stage:<12} {figure(seconds, 2):>8} s", err=True)


class JsonLines(Display):
    """A line of JSON for the beginning and the end of a stage, and some a second between."""

    def __init__(self) -> None:
        self._told = 0.0
        self._total = 0

    def begin(self, stage: str, total: int) -> None:
        """Print that nothing is done yet."""
        self._total = total
        self._tell(stage, 0, total, 0.0)

    def advance(self, stage: str, done: int, total: int, seconds: float) -> None:
        """Print it unless there was a line just now; the last unit is the end's to tell."""
        if total != self._total:  # the stage goes on with work of another kind, as ranking does
            self._tell(stage, self._total, self._total, seconds)
            self._tell(stage, 0, total, seconds)
            self._total = total
        if done < total and time.perf_counter() - self._told >= INTERVAL:
            self._tell(stage, done, total, seconds)

    def end(self, stage: str, total: int, seconds: float) -> None:
        """Print that all is done."""
        self._tell(stage, total, total, seconds)

    def _tell(self, stage: str, done: int, total: int, seconds: float) -> None:
        self._told = time.perf_counter()
        line = {"stage": stage, "done": done, "total": total, "seconds": round(seconds, 3)}
        click.echo(json.dumps(line), err=True)


class Bars(Display):
    """A bar a stage, on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        self._bars: Progress = Progress(
            TextColumn("{task.description:<12}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._bars.start()

    def begin(self, stage: str, total: int) -> None:
        """Add a bar."""
        self._task = self._bars.add_task(stage, total=max(total, 1))

    def advance(self, stage: str, done: int, total: int, seconds: float) -> None:
        """Draw more of it."""
        self._bars.update(self._task, completed=done, total=max(total, 1))

    def end(self, stage: str, total: int, seconds: float) -> None:
        """Draw all of it."""
        self._bars.update(self._task, completed=max(total, 1))

    def close(self) -> None:
        """Leave the bars as they are."""
        self._bars.stop()
