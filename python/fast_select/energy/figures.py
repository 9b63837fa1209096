"""The report's figures of energy: what they are, from low to high, and what that assumes."""

from __future__ import annotations

from .._text import figure
from .zones import DRAM, PACKAGE

LOW_WATTS, HIGH_WATTS = 1.5, 40.0
"""Watts of a busy core, from the least to the most of today's machines.

Where all threads of a server with many cores or of a laptop are busy, each takes 1.3 to 2 W (500 W
by 384 threads, 28 W by 16); a single busy core of a desktop processor at its highest clock adds 30
to 40 W.
"""


def measurement(
    joules: dict[str, float | None], share: float | None, parts: list[str]
) -> dict[str, object]:
    """What the counters have told, and how much of it is this process's.

    They count for the whole machine. The lower figure, ``own_joules``, is all of it times
    ``share``, this process's part of the busy CPU time: a busy second takes as much whoever has it,
    and idle power is shared out alike. The upper one is all of it, as if nothing else had run.

    Parameters
    ----------
    joules : by domain; None for one that is not measured
    share : in [0, 1]; None where it is not known
    parts : names of what was added up
    """
    total = sum(value for value in joules.values() if value is not None)
    own = None if share is None else total * share
    domains = "processor packages and DRAM"
    if joules[DRAM] is None:
        domains = "processor packages, DRAM is not measured here"
    note = f"{domains}, idle power and other processes included"
    if share is None or own is None:
        note += "; the share of these is not known"
    else:
        note += (
            f"; {share:.0%} of the machine's busy CPU time was this process's, which makes "
            f"{figure(own, 2)} J of {figure(total, 2)} J its own"
        )
    return {
        "source": "rapl",
        "zones": parts,
        "package_joules": joules[PACKAGE],
        "dram_joules": joules[DRAM],
        "low_joules": own,
        "high_joules": total,
        "own_share": share,
        "own_joules": own,
        "note": note,
    }


def estimate(
    cpu_s: float, watts: float, share: float | None, *, is_given: bool, fault: str
) -> dict[str, object]:
    """What CPU seconds may have taken; they are this process's alone.

    Parameters
    ----------
    cpu_s : seconds of all threads
    watts : of a busy core
    share : as of :func:`measurement`
    is_given : whether the user has said how many watts: then no range is put around them
    fault : what became of the counters, if there were any
    """
    low, high = (watts, watts) if is_given else (LOW_WATTS, HIGH_WATTS)
    note = f"CPU seconds x {watts:g} W per core: an assumption, not a measurement"
    if fault:
        note += f", as the counters {fault}"
    if not is_given:
        note += (
            f"; at {low:g} to {high:g} W, as cores differ, "
            f"{figure(cpu_s * low, 2)} to {figure(cpu_s * high, 2)} J"
        )
    return {
        "source": "estimated",
        "watts_per_core": watts,
        "package_joules": None,
        "dram_joules": None,
        "low_joules": cpu_s * low,
        "high_joules": cpu_s * high,
        "own_share": share,
        "own_joules": cpu_s * watts,
        "note": note,
    }
