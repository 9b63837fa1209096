"""Signals that arrive while files are written."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGXCPU", "SIGUSR1", "SIGUSR2")
"""What a user, a scheduler, a limit or a closed terminal stops a run with."""


class Stopped(BaseException):
    """A signal asks to stop: not an error, and nothing that is in the way may swallow it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Guard:
    """Makes signals that stop the run raise :class:`Stopped`, so that it can clean up.

    After :meth:`hold` they wait until the guard ends. A signal that is ignored, as under
    ``nohup``, stays ignored.
    """

    def __init__(self) -> None:
        self._before: dict[int, object] = {}
        self._caught: int | None = None
        self._held = False

    def __enter__(self) -> Guard:
        if threading.current_thread() is threading.main_thread():
            for name in NAMES:
                number = getattr(signal, name, None)
                usual = (signal.SIG_DFL, signal.default_int_handler, stop)
                if number is not None and signal.getsignal(number) in usual:
                    self._before[number] = signal.signal(number, self._catch)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._held = True
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        if kind is None and self._caught is not None:
            raise Stopped(self._caught)

    def hold(self) -> None:
        """Have later signals wait; raise :class:`Stopped` for one that came before."""
        self._held = True
        if self._caught is not None:
            raise Stopped(self._caught)

    def hold_for_cleaning(self) -> None:
        """Have later signals wait, whatever came before."""
        self._held = True

    def _catch(self, number: int, _frame: FrameType | None) -> None:
        if self._caught is None:
            self._caught = number
            if not self._held:
                self._held = True  # cleaning up begins
                raise Stopped(number)


def stop(number: int, _frame: FrameType | None) -> None:
    """Raise what click does not catch, as it does KeyboardInterrupt."""
    raise Stopped(number)


def accept_interrupts() -> None:
    """Have Ctrl-C raise :class:`Stopped`, unless it is ignored."""
    if threading.current_thread() is threading.main_thread() and callable(
        signal.getsignal(signal.SIGINT)
    ):
        signal.signal(signal.SIGINT, stop)


def ignore_interrupts() -> None:
    """Have Ctrl-C do nothing from here on: the run has come to its end."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def interrupts_kept() -> Iterator[None]:
    """Leave to Ctrl-C, after the block, what it did before."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


def end_by(number: int) -> None:
    """End this process as the signal would have done."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
