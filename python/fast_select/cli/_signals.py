"""Signals that arrive while files are written."""

from __future__ import annotations

import os
import signal
import sys
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
    """Has signals that would stop the run wait while files are written.

    They are answered, by :class:`Stopped`, where that is asked for: by :meth:`check`, in a block
    :meth:`waiting`, and at the end of the guard. A signal that is ignored, as under ``nohup``,
    stays ignored.
    """

    def __init__(self) -> None:
        self._before: dict[int, object] = {}
        self._caught: int | None = None
        self._waiting = False

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
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        if kind is None:
            self.check()

    def check(self) -> None:
        """Raise :class:`Stopped` if a signal has come."""
        if self._caught is not None:
            raise Stopped(self._caught)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Let a signal end the wait for a reader or for another run."""
        self._waiting = True
        try:
            self.check()
            yield
        finally:
            self._waiting = False

    def _catch(self, number: int, _frame: FrameType | None) -> None:
        if self._caught is None:
            self._caught = number
            if self._waiting:
                raise Stopped(number)


def stop(number: int, _frame: FrameType | None) -> None:
    """Raise what click does not catch, as it does KeyboardInterrupt."""
    raise Stopped(number)


def stop_again(lost: sys.UnraisableHookArgs) -> None:
    """Answer Ctrl-C a moment later where it came in a callback that cannot raise.

    Python's own imports have such, and would print a traceback.
    """
    if not isinstance(lost.exc_value, Stopped):
        sys.__unraisablehook__(lost)
    elif hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda _number, frame: stop(signal.SIGINT, frame))
        signal.setitimer(signal.ITIMER_REAL, 0.001)


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


def end_by(number: int) -> int:
    """End this process as the signal would have done, or return what a shell calls that."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number
