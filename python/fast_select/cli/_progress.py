"""Progress on stderr: bars on a terminal, a line a stage elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

import click

from .._text import figure

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class StageProgress:
    """Shows the stages of a run as they begin, advance and end."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bars: Progress | None = None
        self._task: TaskID | None = None
        self._stage = ""
        self._since = time.perf_counter()

    def __enter__(self) -> StageProgress:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                Progress,
                TaskProgressColumn,
                TextColumn,
                TimeElapsedColumn,
            )

            self._bars = Progress(
                TextColumn("{task.description:<12}"),
                BarColumn(),
                TaskProgressColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
            )
            try:
                self._bars.start()
            except RuntimeError:  # no thread to be had that draws them
                self._bars = None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._end()
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """`done` of `total` units of `stage`."""
        if stage != self._stage:
            self._end()
            self._stage, self._since = stage, time.perf_counter()
            if self._bars is not None:
                self._task = self._bars.add_task(stage, total=max(total, 1))
        elif self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=done)

    def _end(self) -> None:
        if not self._stage or self._quiet:
            return
        if self._bars is None:
            seconds = time.perf_counter() - self._since
            click.echo(f"{self._stage:<12} {figure(seconds, 2):>8} s", err=True)
        elif self._task is not None:
            bar = self._bars.tasks[self._bars.task_ids.index(self._task)]
            self._bars.update(self._task, completed=bar.total)
