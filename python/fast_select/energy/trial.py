"""What this machine can measure, tried for a moment."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .. import _core
from .._checks import checked
from ..report import SCHEMA
from .advice import Surroundings, obstacles
from .counters import Rapl
from .load import STAT, Load
from .zones import DRAM, PACKAGE, VARIABLE, counted, powercap_root

ROWS, COLUMNS, DRAWS = 4096, 32, 10_000
"""Of the work that keeps all threads busy: more of it than can be done."""


class Enough(Exception):
    """The time is over."""


def trial(
    powercap: Path | None = None,
    at: Surroundings | None = None,
    stat: Path = STAT,
    seconds: float = 1.0,
) -> dict[str, Any]:
    """Which counters there are, what keeps them from being read, and what they tell.

    Returns ``source`` (as in reports), ``powercap`` (where the counters are looked for), ``zones``
    (each with what keeps it from being read), ``reason`` (why nothing is measured, or None),
    ``dram_reason``, ``advice`` (what to do, each with its command) and, where something is
    measured, ``idle`` and ``busy``: seconds, watts of packages and DRAM and busy cores of the whole
    machine while this process did nothing, and while it kept all its ``threads`` busy.
    ``watts_per_core``: watts of the busy second by busy core, idle power shared out to them.
    """
    root = powercap_root() if powercap is None else powercap
    rapl = Rapl(root)
    missing = os.environ.get(VARIABLE) if powercap is None and not root.is_dir() else None
    chosen = counted(rapl.found)
    used = [zone for zones in chosen.values() for zone in zones]
    reason, steps = obstacles(rapl.found, at or Surroundings.here())
    if missing:
        reason, steps = f"{VARIABLE} names '{missing}', which is no folder", []
    idle: dict[str, Any] | None = None
    busy: dict[str, Any] | None = None
    watts = None
    params = checked("evaluate", {"n_random": DRAWS})
    if rapl:
        idle = watched(rapl, stat, lambda: time.sleep(seconds))
        busy = watched(rapl, stat, lambda: work(params, seconds))
        if rapl.lost or not busy["package_watts"]:
            reason = f"the counters {rapl.fault or 'stand still'}"
            idle = busy = None
        else:
            watts = (busy["package_watts"] + (busy["dram_watts"] or 0.0)) / busy["busy_cores"]
    closed = [f"{zone.part} ({zone.obstacle})" for zone in chosen[DRAM] if zone.obstacle]
    dram_reason = None
    if closed:
        dram_reason = f"has counters that cannot be read: {', '.join(closed)}"
    elif not chosen[DRAM]:
        dram_reason = "has no counter here"
    elif busy and not busy["dram_watts"]:
        dram_reason = "has counters that stand still"
        idle, busy = ({**window, "dram_watts": None} for window in (idle or {}, busy))
    return {
        "schema": SCHEMA,
        "tool": {"name": "fast-select", **_core.info()},
        "source": "estimated" if busy is None else "rapl",
        "powercap": str(root),
        "zones": [
            {
                "zone": zone.folder.name,
                "name": zone.name,
                "domain": zone.domain or None,
                "is_added": zone in used,
                "obstacle": zone.obstacle or None,
            }
            for zone in rapl.found
        ],
        "reason": reason or None,
        "dram_reason": dram_reason,
        "advice": [asdict(step) for step in steps],
        "threads": params.values()["threads"],
        "idle": idle,
        "busy": busy,
        "watts_per_core": watts,
    }


def watched(rapl: Rapl, stat: Path, run: Callable[[], None]) -> dict[str, Any]:
    """Seconds, watts and busy cores of a run."""
    load = Load(stat)
    before, begun = rapl.by_domain(), time.perf_counter()
    run()
    after, seconds = rapl.by_domain(), time.perf_counter() - begun
    load.account()
    watts = {domain: (after[domain] - before[domain]) / seconds for domain in after}
    return {
        "seconds": seconds,
        "package_watts": watts[PACKAGE],
        "dram_watts": watts.get(DRAM),
        "busy_cores": max(load.machine_s or 0.0, load.own_s) / seconds,
    }


def work(params: _core.Params, seconds: float) -> None:
    """Do for so long what a selection does most, on all threads."""
    x = np.random.default_rng(0).normal(size=(ROWS, COLUMNS)).astype(np.float32)
    until = time.perf_counter() + seconds

    def watch(_stage: str, _done: int, _total: int) -> None:
        if time.perf_counter() >= until:
            raise Enough

    prepared = _core.prepare(x, params)
    rows = np.arange(0, ROWS, 10)
    try:
        while True:
            _core.evaluate(prepared, rows, params, progress=watch)
    except Enough:
        return
