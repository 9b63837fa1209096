"""The allocators of the C library and of Arrow, made to give large buffers back."""

from __future__ import annotations

import ctypes
import os

M_MMAP_THRESHOLD = -3
LARGE = 1 << 20
"""Bytes of a buffer that is returned to the system when it is freed."""


def return_large_buffers() -> None:
    """Have glibc return every buffer of a mebibyte or more as it is freed.

    Left alone, glibc keeps buffers up to the largest one freed so far (32 MiB at most) for itself,
    and a selection holds up to half as much again as it uses: more than `plan` has promised.
    What the user has set stays, and other C libraries are left as they are. Arrow, if it is loaded
    later, has an allocator of its own that keeps even more; the C library's does for it.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    if "MALLOC_MMAP_THRESHOLD_" in os.environ or "mmap_threshold" in tunables:
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_MMAP_THRESHOLD, LARGE)
