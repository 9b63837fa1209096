"""Writing the results: all of them or none, and nothing of the user's lost.

Regular files are written under hidden names beside their places and get these at the end, in a
moment in which signals wait. What is no regular file is written into.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import ComputationError
from ._signals import Guard
from ._targets import Target, hidden_name

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LOCK_SECONDS = 5.0
"""Longest wait for another run that puts its files into the same folder."""


class Sink:
    """Writes what it gets at once, and all of it: nothing is left to do when a run is stopped."""

    closed = False
    """As Arrow asks of a file."""

    def __init__(self, descriptor: int, guard: Guard) -> None:
        self._descriptor, self._guard = descriptor, guard

    def write(self, data: ReadableBuffer) -> int:
        """Write to the end, however long that takes."""
        left = memoryview(data).cast("B")
        size = left.nbytes
        while left:
            with self._guard.waiting():
                try:
                    left = left[os.write(self._descriptor, left) :]
                except BlockingIOError:
                    select.select([], [self._descriptor], [])
        return size

    def flush(self) -> None:
        """Nothing is kept back."""


Writer = Callable[[Sink], None]


@dataclass
class Outcome:
    """What a run has left behind so far."""

    written: list[str] = field(default_factory=list)
    begun: str = ""
    """What is being written into, and may be left with less than all."""

    def __str__(self) -> str:
        parts = []
        if self.written:
            verb = "is" if len(self.written) == 1 else "are"
            parts.append(f"{' and '.join(self.written)} {verb} written")
        if self.begun:
            parts.append(f"what went to {self.begun} may be incomplete")
        return ", ".join(parts) or "nothing was written"


@dataclass(frozen=True)
class Staged:
    """A result under a hidden name."""

    target: Target
    hidden: Path
    status: os.stat_result


def write_all(outputs: Sequence[tuple[Target, Writer]], outcome: Outcome) -> None:
    """Write every output, or none of the files; tell `outcome`."""
    hidden: list[Path] = []
    with Guard() as guard:  # until the last name is given, and for what is to be removed
        try:
            streams = [(target, write) for target, write in outputs if target.is_stream]
            files = [output for output in outputs if output not in streams]
            staged = [stage(target, write, hidden, guard) for target, write in files]
            for target, write in streams:
                send(target, write, outcome, guard)
            with locked({target.path.parent for target, _ in files}, guard):
                guard.check()
                put_in_place(staged, hidden)
                outcome.written += [target.name for target, _ in files]
        finally:
            for path in hidden:
                with contextlib.suppress(OSError):
                    path.unlink()


@contextlib.contextmanager
def writing(target: Target) -> Iterator[None]:
    """Name the target in an error of the system."""
    try:
        yield
    except FileExistsError as err:
        fact = "has appeared during the run and is left as it is"
        raise ComputationError(target.name, fact, "Use --force to overwrite it") from err
    except OSError as err:
        reason = err.strerror or str(err)
        raise ComputationError(target.name, f"cannot be written ({reason})") from err


def stage(target: Target, write: Writer, hidden: list[Path], guard: Guard) -> Staged:
    """Write under a hidden name, with mode and owner of the file to replace, if there is one."""
    path = hidden_name(target.path.parent)
    hidden.append(path)
    with writing(target):
        old = target.stat()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags, 0o666 if old is None else 0o600)
        try:
            write(Sink(descriptor, guard))
        finally:
            os.close(descriptor)
        new = path.stat()
        if old is not None:
            if hasattr(os, "chown") and (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
                os.chown(path, old.st_uid, old.st_gid)
            path.chmod(stat.S_IMODE(old.st_mode))
        return Staged(target, path, new)


def send(target: Target, write: Writer, outcome: Outcome, guard: Guard) -> None:
    """Write into what is there. A reader that leaves has what it wanted."""
    with writing(target):
        if target.descriptor is None:
            flags = os.O_WRONLY | getattr(os, "O_NOCTTY", 0)
            with guard.waiting():  # for a reader
                descriptor = os.open(target.path, flags)
        else:
            descriptor = os.dup(target.descriptor)
        outcome.begun = target.name
        try:
            with contextlib.suppress(BrokenPipeError):
                write(Sink(descriptor, guard))
        finally:
            os.close(descriptor)
        outcome.begun = ""
        outcome.written.append(target.name)


def put_in_place(staged: Sequence[Staged], hidden: list[Path]) -> None:
    """Give all files their names; if one cannot have it, none has."""
    undo: list[Callable[[], object]] = []
    try:
        for each in staged:
            path = each.target.path
            with writing(each.target):
                if each.target.force and path.exists():
                    backup = hidden_name(path.parent)
                    hidden.append(backup)
                    keep(path, backup)
                    each.hidden.replace(path)
                    undo.append(partial(backup.replace, path))
                else:
                    place_new(each.hidden, path)
                    undo.append(partial(remove_own, path, each.status))
    except BaseException:
        for step in reversed(undo):
            with contextlib.suppress(OSError):
                step()
        raise


def place_new(hidden: Path, path: Path) -> None:
    """Name a file `path`, or raise FileExistsError where something has that name."""
    try:
        os.link(hidden, path)
    except FileExistsError:
        raise
    except OSError:
        # No hard links here: take the name with an empty file, then replace that.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        try:
            hidden.replace(path)
        except OSError:
            path.unlink()
            raise


def keep(path: Path, backup: Path) -> None:
    """Keep a file under another name as well."""
    try:
        os.link(path, backup)
    except OSError:
        shutil.copy2(path, backup)


def remove_own(path: Path, status: os.stat_result) -> None:
    """Remove a file unless it is another's by now."""
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(path.lstat(), status):
            path.unlink()


@contextlib.contextmanager
def locked(folders: set[Path], guard: Guard) -> Iterator[None]:
    """Have other runs wait that would put files into the same folders: pairs are not mixed.

    Where a file system knows no locks, or somebody keeps one, it goes on without.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(ImportError):  # Windows has none
            import fcntl

            until = time.monotonic() + LOCK_SECONDS
            for folder in sorted(folders):
                with contextlib.suppress(OSError):
                    descriptor = os.open(folder, os.O_RDONLY)
                    stack.callback(os.close, descriptor)
                    while time.monotonic() < until:
                        try:
                            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                            break
                        except BlockingIOError:
                            guard.check()
                            time.sleep(0.01)
        yield
