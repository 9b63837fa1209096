"""A thread that reads counters as often as they need, however long nothing else does."""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .counters import Rapl


def keep_reading(rapl: Rapl, interval: float) -> None:
    """Read every so many seconds, until `rapl` is lost or nobody uses it any more.

    Where the system has no thread left, it is read as often as the run tells of its progress.
    """
    gone = threading.Lock()
    gone.acquire()
    # Called wherever `rapl` happens to be freed: a plain lock, released, cannot wait for anything.
    known = weakref.ref(rapl, lambda _: gone.release())

    def read() -> None:
        while not gone.acquire(timeout=interval):
            rapl = known()
            if not rapl:
                return
            rapl.by_domain()
            del rapl  # or this thread would keep it alive

    with contextlib.suppress(RuntimeError):
        threading.Thread(target=read, name="fast-select-energy", daemon=True).start()
