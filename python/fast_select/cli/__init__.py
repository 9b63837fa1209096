"""The command line. Data on stdout, all else on stderr."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal itself loads enum, which takes longer
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType
    from typing import NoReturn

__all__ = ["main", "run"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line within another program and return its exit code."""
    from ._main import main

    return main(argv)


def run() -> NoReturn:
    """Entry point of the console script."""
    # Modules are loaded last: Ctrl-C is answered before.
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, quit_at_once)
    try:
        from ._main import start
    except Exception as err:  # a library that is missing, or memory to load it into
        cause = " ".join(str(err.__cause__ or err).split())
        quit_with(1, f"Error: fast-select: cannot be loaded ({cause})")
    start()


def quit_at_once(_number: int, _frame: FrameType | None) -> NoReturn:
    """Answer Ctrl-C while there is nothing to clean up, wherever the import system stands."""
    quit_with(130, "Interrupted; nothing was written.")


def quit_with(code: int, line: str) -> NoReturn:
    """Say a line and leave, without what an interpreter that is half there would do at its end."""
    try:
        os.write(2, f"{line}\n".encode(errors="backslashreplace"))
    finally:
        os._exit(code)
