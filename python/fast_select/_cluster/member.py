"""The worker's side: a member's share of a selection."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .. import _core, io
from .._allocator import return_large_buffers
from .._checkpoint import Checkpoint
from .._errors import FastSelectError
from .._lent import Lent
from .._locks import Lock
from .._run import Run
from ..energy import Meter
from .notes import Notes
from .shared import Stored

ALIVE: Final = "client"
"""The file on which the client has a lock as long as it wants to have members."""

LOOK_S = 0.5
"""Time between two looks at it."""

DONE, STOPPED = "done", "stopped"


class Stopped(Exception):
    """The client wants no more."""


@dataclass(frozen=True)
class Task:
    """A selection, in words and files that all workers understand."""

    folder: Path
    """The checkpoint's."""
    own: Path
    """The run's own, within it."""
    files: tuple[Path, ...]
    """What the matrix is read from."""
    flatten: bool
    facts: list[Any] | None
    """What the checkpoint knows of the user's files; None where ``files`` are these."""
    sizes: list[dict[str, float]]
    options: dict[str, Any]
    arrays: dict[str, Stored]
    instruction_set: str
    """The client's, which a worker that was started anew would not choose by itself."""


class Noted(Checkpoint):
    """A checkpoint that notes which pieces this process has."""

    def __init__(self, task: Task, place: tuple[int, int], notes: Path) -> None:
        files = task.files if task.facts is None else ()
        super().__init__(task.folder, member=place, files=files)
        if task.facts is not None:
            self.files = task.facts
        self._notes = Notes(notes)

    def take(self, scope: str, name: str) -> bool | None:
        """Take a piece, see :class:`Checkpoint`."""
        taken = super().take(scope, name)
        if taken:
            self._notes.takes(name)
        return taken

    def leave(self, scope: str, name: str) -> None:
        """Leave a piece."""
        super().leave(scope, name)
        self._notes.leaves(name)

    def give(self, scope: str, name: str, result: bytes) -> None:
        """Give a result."""
        super().give(scope, name, result)
        self._notes.leaves(name)

    def check_values(self, *_: Any) -> None:
        """Leave it to the client, which has compared them before."""

    def close(self) -> None:
        """Leave what was taken to others."""
        super().close()
        self._notes.close()


def work(task: Task, place: tuple[int, int], n_threads: int, notes: str) -> str | FastSelectError:
    """Do a share of a selection; what became of it.

    ``place``: which of how many members this one is; ``n_threads``: of its worker.
    """
    try:
        _share(task, place, n_threads, Path(notes))
    except Stopped:
        return STOPPED
    except FastSelectError as err:
        # As a result: Dask writes the errors of tasks to the worker's log.
        return err
    return DONE


def _share(task: Task, place: tuple[int, int], n_threads: int, notes: Path) -> None:
    alive, looked = task.own / ALIVE, [0.0]

    def watch(*_: Any) -> None:
        now = time.monotonic()
        if now - looked[0] > LOOK_S:
            looked[0] = now
            if not _is_held(alive):
                raise Stopped

    watch()
    _core.prefer_instruction_set(task.instruction_set)
    return_large_buffers()
    meter = Meter(task.options.get("watts_per_core"))
    meter.begin("read")
    x = read(task.files, flatten=task.flatten)
    arrays = {name: stored.read() for name, stored in task.arrays.items()}
    limit = task.options.get("threads") or n_threads
    options = {**task.options, **arrays, "threads": min(n_threads, limit)}
    keeper = Noted(task, place, notes)
    Run(Lent(x), task.sizes, None, False, None, keeper, meter, watch, options).share()


def read(files: Sequence[Path], *, flatten: bool = False) -> Any:
    """The matrix that files hold."""
    return io.read_features(list(map(str, files)), key=None, flatten=flatten).x


def _is_held(path: Path) -> bool:
    """Whether another process has the lock on a file."""
    try:
        lock = Lock.take(path)
    except OSError:  # its folder is gone
        return False
    if lock is not None:
        lock.release()
    return lock is None
