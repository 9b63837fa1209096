"""Joules by the processor's counters, which wrap around, are set back, or vanish."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .watch import keep_reading
from .zones import DOMAINS, DRAM, PACKAGE, Zone, counted, powercap_root, zones

MOST_WATTS = 2000.0
JITTER_JOULES = 100.0
"""More than a processor package can use in any time: what a counter that wrapped around is told by
from one that was set back. Ranges of counters are 65 kJ and more."""

READINGS = 4
"""Readings in the shortest time in which a counter may go all the way round."""
LEAST_S, MOST_S = 1.0, 60.0
"""Bounds of the seconds between two readings."""

Clock = Callable[[], float]


class CounterError(Exception):
    """A counter cannot be read any more, or its value cannot be meant."""


class Counter:
    """Joules that one zone has counted since this object was made."""

    def __init__(self, zone: Zone, clock: Clock) -> None:
        self._file, self._range, self._clock = zone.file, zone.range_uj, clock
        # After this time an unseen turn is possible.
        self.safe_s = max(zone.range_uj * 1e-6 / MOST_WATTS, READINGS * LEAST_S)
        # One value, so that a process that is forked meanwhile has all of it or none.
        self._state = (clock(), self._value(), 0)

    @property
    def joules(self) -> float:
        """Joules up to the last reading."""
        return self._state[2] * 1e-6

    def read(self) -> None:
        """Add what was used since the last reading."""
        at, last, total = self._state
        now, value = self._clock(), self._value()
        used = value - last
        if used < 0:
            used += self._range
        if (
            now - at > self.safe_s
            or not 0 <= used * 1e-6 <= MOST_WATTS * (now - at) + JITTER_JOULES
        ):
            raise CounterError
        self._state = (now, value, total + used)

    def _value(self) -> int:
        try:
            return int(self._file.read_text())
        except (OSError, ValueError) as err:
            raise CounterError from err


class Rapl:
    """Energy used by all processor packages, and their DRAM, since this object was made.

    A counter that cannot be read any more, that tells of more than a package can use, as one that
    was set back does, or that was not read for so long that it may have wrapped around unseen, ends
    the measurement of its domain; that of packages is then ``lost``. A domain of which a counter
    cannot be read from the start is not measured. A thread reads often enough while this object
    lives; where none can be had, :meth:`joules` has to be called that often.
    """

    def __init__(self, root: Path | None = None, clock: Clock = time.monotonic) -> None:
        self.lost = False
        self.found = zones(powercap_root() if root is None else root)
        self._used: list[Zone] = []
        self._counters: dict[str, list[Counter]] = {}
        for domain, parts in counted(self.found).items():
            try:
                if parts and not any(zone.obstacle for zone in parts):
                    self._counters[domain] = [Counter(zone, clock) for zone in parts]
                    self._used += parts
            except CounterError:
                continue
        if PACKAGE not in self._counters:
            self._counters = {}
        self._attend()

    def __bool__(self) -> bool:
        return self.measures(PACKAGE)

    def measures(self, domain: str) -> bool:
        """Whether the joules of a domain are known."""
        return domain in self._counters and not self.lost

    @property
    def fault(self) -> str:
        """What is the matter with counters of packages; empty if nothing, or if there are none."""
        if self.lost:
            return "failed"
        return "cannot be read" if not self and counted(self.found)[PACKAGE] else ""

    @property
    def parts(self) -> list[str]:
        """What is added up."""
        return [zone.part for zone in self._used if self.measures(zone.domain)]

    @property
    def interval(self) -> float:
        """Seconds between two readings that miss no wrap-around."""
        safe = [each.safe_s for counters in self._counters.values() for each in counters]
        return min(max(min(safe) / READINGS, LEAST_S), MOST_S)

    def joules(self) -> float:
        """Joules so far, of packages and DRAM."""
        return sum(self.by_domain().values())

    def by_domain(self) -> dict[str, float]:
        """Joules so far by each domain that is measured."""
        if self._process != os.getpid():
            self._attend()
        with self._lock:
            for domain in DOMAINS:
                try:
                    if not self.lost:
                        for counter in self._counters.get(domain, ()):
                            counter.read()
                except CounterError:
                    if domain == DRAM:
                        del self._counters[DRAM]
                    else:
                        self.lost = True
            return {
                domain: sum(counter.joules for counter in counters)
                for domain, counters in self._counters.items()
            }

    def _attend(self) -> None:
        """Begin to read now and then: at the start, and in a process that was forked off."""
        self._process = os.getpid()
        self._lock = threading.Lock()  # in a fork the other thread may hold the old one for ever
        if self:
            keep_reading(self, self.interval)
