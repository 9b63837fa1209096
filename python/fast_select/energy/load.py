"""Which share of the machine's busy CPU time is this process's."""

from __future__ import annotations

import os
import time
from pathlib import Path

STAT = Path("/proc/stat")
"""Linux's account of all CPUs: in a container too the host's, which the counters are of."""


class Load:
    """Busy CPU seconds of this process, with children that have ended, and of the machine."""

    def __init__(self, stat: Path = STAT) -> None:
        self._stat = stat
        self.own_s = 0.0
        self.machine_s: float | None = 0.0
        """None where the system does not tell."""
        self.resume()

    def account(self) -> None:
        """Add what was used since the last call."""
        own, machine = self._mark
        self.resume()
        self.own_s += max(self._mark[0] - own, 0.0)
        if machine is None or self._mark[1] is None or self.machine_s is None:
            self.machine_s = None
        else:
            self.machine_s += max(self._mark[1] - machine, 0.0)

    def resume(self) -> None:
        """Leave out what was used since the last call."""
        times = os.times()
        children = times.children_user + times.children_system
        self._mark = (time.process_time() + children, busy_seconds(self._stat))

    @property
    def share(self) -> float | None:
        """Own part of the machine's busy time, in [0, 1]; None where it is not known.

        The machine's is counted in hundredths of a second: of a short run it is rough.
        """
        if not self.machine_s:
            return None
        return min(self.own_s / self.machine_s, 1.0)


def busy_seconds(stat: Path = STAT) -> float | None:
    """Seconds that CPUs of the machine have worked since it started; None where it does not tell.

    Waiting for disks is not work, nor is what a hypervisor took; guests are counted as users.
    """
    try:
        with stat.open("rb") as file:
            name, *ticks = file.readline().split()
        user, nice, system, _idle, _wait, irq, soft = map(int, ticks[:7])
        seconds = (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError):
        return None
    return seconds if name == b"cpu" else None
