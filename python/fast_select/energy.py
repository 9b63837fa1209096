"""Time, energy and memory of a run, stage by stage.

Energy comes from the processor's RAPL counters where the system lets them be read (Linux powercap,
Intel and AMD); idle power is not subtracted and other processes' use is included. Elsewhere it
is estimated as CPU seconds times watts per core, and says so.
"""

from __future__ import annotations

import copy
import resource
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from . import _core

POWERCAP = Path("/sys/class/powercap")


class Rapl:
    """Energy used by all processor packages since this object was made."""

    def __init__(self, root: Path = POWERCAP) -> None:
        self._zones: list[tuple[Path, int]] = []
        self._last: list[int] = []
        self._joules = 0.0
        for zone in sorted(root.glob("*-rapl:*")):
            # One colon: a package. Two: a part of one, counted already.
            if zone.name.count(":") != 1:
                continue
            try:
                if not (zone / "name").read_text().startswith("package"):
                    continue
                wrap = int((zone / "max_energy_range_uj").read_text())
                value = int((zone / "energy_uj").read_text())
            except (OSError, ValueError):
                continue
            self._zones.append((zone / "energy_uj", wrap))
            self._last.append(value)

    def __bool__(self) -> bool:
        return bool(self._zones)

    def joules(self) -> float:
        """Joules so far; call it more often than the counters wrap around (minutes)."""
        for at, (path, wrap) in enumerate(self._zones):
            value = int(path.read_text())
            used = value - self._last[at]
            if used < 0:
                used += wrap
            self._last[at] = value
            self._joules += used * 1e-6
        return self._joules


@dataclass
class Stage:
    """What one stage took."""

    name: str
    wall_s: float = 0.0
    cpu_s: float = 0.0
    joules: float = 0.0


class Meter:
    """Accounts wall time, CPU time and energy to the stage at hand."""

    def __init__(self, watts_per_core: float | None = None, powercap: Path = POWERCAP) -> None:
        if watts_per_core is None:
            watts_per_core = _core.Params("select").values()["watts_per_core"]
        self.watts_per_core: float = watts_per_core
        self.stages: list[Stage] = []
        self._rapl = Rapl(powercap)
        self._mark = self._now()
        self.before_bytes = current_rss()

    @property
    def source(self) -> str:
        """``rapl`` (measured) or ``estimated``."""
        return "rapl" if self._rapl else "estimated"

    def tick(self) -> None:
        """Account what passed since the last call to the stage at hand."""
        now = self._now()
        if self.stages:
            stage = self.stages[-1]
            wall, cpu, joules = (b - a for a, b in zip(self._mark, now, strict=True))
            stage.wall_s += wall
            stage.cpu_s += cpu
            stage.joules += joules if self._rapl else cpu * self.watts_per_core
        self._mark = now

    def begin(self, name: str) -> None:
        """End the stage at hand and begin another."""
        self.tick()
        if not self.stages or self.stages[-1].name != name:
            self.stages.append(Stage(name))

    def branch(self) -> Meter:
        """A meter that has accounted what this one has, and goes on by itself from now."""
        twin = copy.copy(self)
        twin.stages = [replace(stage) for stage in self.stages]
        twin._mark = self._now()
        return twin

    def _now(self) -> tuple[float, float, float]:
        joules = self._rapl.joules() if self._rapl else 0.0
        return time.perf_counter(), time.process_time(), joules

    def summary(self) -> dict[str, object]:
        """Stages, totals, energy and memory as they go into the report."""
        self.tick()
        measured = {
            "source": "rapl",
            "note": "processor packages, idle power and other processes included",
        }
        estimated = {
            "source": "estimated",
            "watts_per_core": self.watts_per_core,
            "note": f"CPU seconds x {self.watts_per_core:g} W per core: an assumption, "
            "not a measurement",
        }
        peak = peak_rss()
        return {
            "stages": [vars(stage) for stage in self.stages],
            "totals": {
                key: sum(getattr(stage, key) for stage in self.stages)
                for key in ("wall_s", "cpu_s", "joules")
            },
            "energy": measured if self._rapl else estimated,
            "memory": {
                "peak_bytes": peak,
                "before_bytes": self.before_bytes,
                "above_bytes": max(peak - self.before_bytes, 0),
            },
        }


def peak_rss() -> int:
    """Largest resident size of this process so far, in bytes."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


def current_rss() -> int:
    """Resident size of this process, in bytes; its peak so far where only that is known."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return peak_rss()
    return pages * resource.getpagesize()
