"""Wall time, CPU time, energy and memory of a run, by stage."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, replace
from pathlib import Path

from .. import _core
from .._errors import core_errors
from .._memory import current_rss, peak_rss
from .counters import Rapl
from .figures import estimate, measurement
from .load import STAT, Load
from .zones import DOMAINS, DRAM, PACKAGE

STILL_S = 0.02
"""Seconds in which a counter that works cannot have stood still: it moves every thousandth."""


@dataclass
class Stage:
    """What one stage took; joules are those of the counters, 0 without."""

    name: str
    wall_s: float = 0.0
    cpu_s: float = 0.0
    package_joules: float = 0.0
    dram_joules: float = 0.0


class Meter:
    """Accounts wall time, CPU time and energy to the stage at hand.

    ``watts_per_core``: the assumption to estimate by where nothing can be measured; without it one
    with a range is made.
    """

    def __init__(
        self,
        watts_per_core: float | None = None,
        powercap: Path | None = None,
        stat: Path = STAT,
    ) -> None:
        self._is_given = watts_per_core is not None
        given = {} if watts_per_core is None else {"watts_per_core": watts_per_core}
        with core_errors():
            values = _core.Params("select", **given).values()
        self.watts_per_core: float = values["watts_per_core"]
        self.stages: list[Stage] = []
        self._rapl = Rapl(powercap)
        self._load = Load(stat)
        self._mark = self._now()
        self.before_bytes = current_rss()

    @property
    def source(self) -> str:
        """``rapl`` (measured) or ``estimated``."""
        return "rapl" if self._rapl else "estimated"

    def tick(self) -> None:
        """Account what passed since the last call to the stage at hand."""
        self._account()
        if self.stages:
            self._load.account()
        else:
            self._load.resume()

    def begin(self, name: str) -> None:
        """End the stage at hand and begin another."""
        if self.stages and self.stages[-1].name == name:
            self._account()  # the machine's load takes longer to read: once a stage is enough
        else:
            self.tick()
            self.stages.append(Stage(name))

    def branch(self) -> Meter:
        """A meter that has accounted what this one has, and goes on by itself from now."""
        twin = copy.copy(self)
        twin.stages = [replace(stage) for stage in self.stages]
        twin._load = copy.copy(self._load)
        twin._load.resume()
        twin._mark = self._now()
        return twin

    def _account(self) -> None:
        now = self._now()
        if self.stages:
            stage = self.stages[-1]
            # In a process that was forked meanwhile its CPU time begins at 0.
            wall, cpu, package, dram = (
                max(b - a, 0.0) for a, b in zip(self._mark, now, strict=True)
            )
            stage.wall_s += wall
            stage.cpu_s += cpu
            stage.package_joules += package
            stage.dram_joules += dram
        self._mark = now

    def _now(self) -> tuple[float, float, float, float]:
        joules = self._rapl.by_domain()
        package, dram = (joules.get(domain, 0.0) for domain in DOMAINS)
        return time.perf_counter(), time.process_time(), package, dram

    def totals(self) -> dict[str, float]:
        """Seconds and joules so far; of measured ones this process's own, where they are known.

        What processes of one machine have spent can be added up then.
        """
        summary = self.summary()
        totals, energy = summary["totals"], summary["energy"]
        assert isinstance(totals, dict) and isinstance(energy, dict)
        own = energy["own_joules"]
        return totals if own is None else totals | {"joules": own}

    def summary(self) -> dict[str, object]:
        """Stages, totals, energy and memory as they go into the report."""
        self.tick()
        wall_s = sum(stage.wall_s for stage in self.stages)
        cpu_s = sum(stage.cpu_s for stage in self.stages)
        joules, share = self._joules(wall_s), self._load.share
        if joules:
            has_dram = joules[DRAM] is not None
            by_stage = [s.package_joules + s.dram_joules * has_dram for s in self.stages]
            energy = measurement(joules, share, self._rapl.parts)
        else:
            by_stage = [stage.cpu_s * self.watts_per_core for stage in self.stages]
            fault = self._rapl.fault or ("stood still" if self._rapl else "")
            energy = estimate(
                cpu_s, self.watts_per_core, share, is_given=self._is_given, fault=fault
            )
        stages = [
            {"name": stage.name, "wall_s": stage.wall_s, "cpu_s": stage.cpu_s, "joules": own}
            for stage, own in zip(self.stages, by_stage, strict=True)
        ]
        return {
            "stages": stages,
            "totals": {"wall_s": wall_s, "cpu_s": cpu_s, "joules": sum(by_stage)},
            "energy": energy,
            "memory": self._memory(),
        }

    def _joules(self, wall_s: float) -> dict[str, float | None]:
        """Joules by domain, None for one that is not measured; empty where packages are not."""
        if not self._rapl:
            return {}
        joules: dict[str, float | None] = {
            PACKAGE: sum(stage.package_joules for stage in self.stages),
            DRAM: sum(stage.dram_joules for stage in self.stages),
        }
        if not self._rapl.measures(DRAM) or (wall_s > STILL_S and not joules[DRAM]):
            joules[DRAM] = None
        return joules if joules[PACKAGE] or wall_s <= STILL_S else {}

    def _memory(self) -> dict[str, int | None]:
        """Bytes; None where the system does not tell."""
        peak = peak_rss()
        return {
            "peak_bytes": peak or None,
            "before_bytes": self.before_bytes or None,
            "above_bytes": max(peak - self.before_bytes, 0) if peak else None,
        }
