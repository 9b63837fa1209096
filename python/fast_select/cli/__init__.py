"""The command line. Data on stdout, all else on stderr."""

from __future__ import annotations

import contextlib
import os
import signal
from types import FrameType
from typing import NoReturn

__all__ = ["run"]


def run() -> NoReturn:
    """Entry point of the console script."""
    # Modules are loaded last: Ctrl-C is answered before.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, quit_at_once)
    from ._main import start

    start()


def quit_at_once(_number: int, _frame: FrameType | None) -> NoReturn:
    """Answer Ctrl-C while there is nothing to clean up, wherever the import system stands."""
    with contextlib.suppress(OSError):
        os.write(2, b"Interrupted; nothing was written.\n")
    os._exit(130)
