"""Time, energy and memory of a run, stage by stage.

Energy comes from the processor's RAPL counters where the system lets them be read (Linux powercap,
Intel and AMD); idle power is not subtracted and other processes' use is included. Elsewhere it
is estimated as CPU seconds times watts per core, and says so.
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, replace
from pathlib import Path

from . import _core
from ._errors import core_errors
from ._memory import current_rss, peak_rss

POWERCAP = Path("/sys/class/powercap")

MOST_WATTS = 2000.0
JITTER_JOULES = 100.0
"""More than a processor package can use in any time: what a counter that wrapped around is told by
from one that was set back. Ranges of counters are 65 kJ and more."""


class Rapl:
    """Energy used by all processor packages since this object was made.

    A counter that cannot be read any more, or that tells of more than a package can use, as one
    that was set back does, ends the measurement: ``lost``.
    """

    def __init__(self, root: Path = POWERCAP) -> None:
        self.lost = False
        self._zones: list[tuple[Path, int]] = []
        self._last: list[int] = []
        self._joules = 0.0
        self._at = time.monotonic()
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
        return bool(self._zones) and not self.lost

    def joules(self) -> float:
        """Joules so far; call it more often than the counters wrap around (minutes)."""
        now = time.monotonic()
        most = MOST_WATTS * (now - self._at) + JITTER_JOULES
        self._at = now
        for at, (path, wrap) in enumerate(self._zones):
            try:
                value = int(path.read_text())
            except (OSError, ValueError):
                self.lost = True
                break
            used = value - self._last[at]
            if used < 0:
                used += wrap
            if not 0 <= used * 1e-6 <= most:
                self.lost = True
                break
            self._last[at] = value
            self._joules += used * 1e-6
        return self._joules


@dataclass
class Stage:
    """What one stage took; joules are those of the counters until the summary."""

    name: str
    wall_s: float = 0.0
    cpu_s: float = 0.0
    joules: float = 0.0


class Meter:
    """Accounts wall time, CPU time and energy to the stage at hand."""

    def __init__(self, watts_per_core: float | None = None, powercap: Path = POWERCAP) -> None:
        given = {} if watts_per_core is None else {"watts_per_core": watts_per_core}
        with core_errors():
            values = _core.Params("select", **given).values()
        self.watts_per_core: float = values["watts_per_core"]
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
            stage.joules += joules
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
        if not self._rapl:
            for stage in self.stages:
                stage.joules = stage.cpu_s * self.watts_per_core
        measured = {
            "source": "rapl",
            "note": "processor packages, idle power and other processes included",
        }
        estimated = {
            "source": "estimated",
            "watts_per_core": self.watts_per_core,
            "note": f"CPU seconds x {self.watts_per_core:g} W per core: an assumption, "
            "not a measurement" + (", as the counters failed" if self._rapl.lost else ""),
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
