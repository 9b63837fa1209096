"""Locks between processes, which the system lets go of when a process ends."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

POLL_S = 0.02


class Lock:
    """A lock on a file of its own."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor

    @classmethod
    def take(cls, path: Path) -> Lock | None:
        """The lock on a file, which is made; None where another has it, in this process too."""
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                _lock(descriptor)
                # Whoever had it may have removed the file since it was opened: then it is no lock.
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(descriptor), path.stat()):
                        return cls(path, descriptor)
            except BlockingIOError:
                os.close(descriptor)
                return None
            except OSError:
                os.close(descriptor)
                raise
            os.close(descriptor)

    @classmethod
    @contextlib.contextmanager
    def wait(cls, path: Path) -> Iterator[None]:
        """Have the lock, as soon as others let go of it."""
        while (lock := cls.take(path)) is None:
            time.sleep(POLL_S)
        try:
            yield
        finally:
            lock.release()

    def release(self, *, gone: bool = False) -> None:
        """Let go of it; ``gone``: nobody needs the file any more."""
        if gone:
            with contextlib.suppress(OSError):
                self._path.unlink()
        os.close(self._descriptor)


def _lock(descriptor: int) -> None:
    """Lock a file that is open.

    By ``flock``, which tells apart the openings of one process, as ``lockf`` does not.
    """
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError as err:
            raise BlockingIOError from err
    else:
        try:
            import fcntl
        except ImportError as err:
            raise OSError(errno.ENOTSUP, "there are no locks on this system") from err
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
