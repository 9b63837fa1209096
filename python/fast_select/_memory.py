"""Resident size of this process, now and at its peak, on systems of every kind."""

from __future__ import annotations

import re
import sys
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

STATUS = Path("/proc/self/status")


def peak_rss() -> int:
    """Largest resident size of this process so far, in bytes; 0 where it is not known."""
    if resource is not None:
        size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return size if sys.platform == "darwin" else size * 1024
    return _status("VmHWM") or _working_set("PeakWorkingSetSize")


def current_rss() -> int:
    """Resident size of this process, in bytes; its peak so far where only that is known."""
    return _status("VmRSS") or _working_set("WorkingSetSize") or peak_rss()


def _status(key: str) -> int:
    """An entry of Linux's account of this process; 0 where there is none."""
    try:
        match = re.search(rf"^{key}:\s*(\d+) kB", STATUS.read_text(), re.MULTILINE)
    except (OSError, ValueError):
        return 0
    return int(match[1]) * 1024 if match else 0


def _working_set(field: str) -> int:
    """A field of Windows' account of this process; 0 elsewhere."""
    if sys.platform != "win32":
        return 0
    import ctypes
    from ctypes import wintypes

    sizes = (
        "PeakWorkingSetSize", "WorkingSetSize", "QuotaPeakPagedPoolUsage", "QuotaPagedPoolUsage",
        "QuotaPeakNonPagedPoolUsage", "QuotaNonPagedPoolUsage", "PagefileUsage",
        "PeakPagefileUsage",
    )  # fmt: skip

    class Counters(ctypes.Structure):
        """PROCESS_MEMORY_COUNTERS."""

        _fields_ = (
            ("cb", wintypes.DWORD),
            ("PageFaultCount", wintypes.DWORD),
            *((name, ctypes.c_size_t) for name in sizes),
        )

    counters = Counters(cb=ctypes.sizeof(Counters))
    kernel = ctypes.WinDLL("kernel32")
    kernel.GetCurrentProcess.restype = wintypes.HANDLE
    ask = kernel.K32GetProcessMemoryInfo
    ask.argtypes = (wintypes.HANDLE, ctypes.c_void_p, wintypes.DWORD)
    known = ask(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.cb)
    return int(getattr(counters, field)) if known else 0
