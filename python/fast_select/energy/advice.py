"""Why energy cannot be measured here, and what to do so that it can."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .zones import PACKAGE, VARIABLE, Zone, counted

CPUINFO = Path("/proc/cpuinfo")
CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
SYSTEMS = {"darwin": "macOS", "win32": "Windows"}
X86 = ("x86_64", "amd64", "i386", "i686")
RULE = 'ACTION=="add", SUBSYSTEM=="powercap", KERNEL=="*rapl*:*"'
RULES_FILE = "/etc/udev/rules.d/70-powercap.rules"
GROUP = "powercap"


@dataclass(frozen=True)
class Surroundings:
    """What a run finds itself in."""

    system: str
    machine: str
    is_virtual: bool
    is_container: bool

    @classmethod
    def here(cls) -> Surroundings:
        """Those of this process."""
        try:
            flags = next(
                line for line in CPUINFO.read_text().splitlines() if line.startswith("flags")
            )
        except (OSError, ValueError, StopIteration):
            flags = ""
        return cls(
            sys.platform,
            platform.machine().lower(),
            "hypervisor" in flags.split(),
            any(mark.exists() for mark in CONTAINER_MARKS),
        )


@dataclass(frozen=True)
class Step:
    """Something to do, and the command that does it, if one does."""

    what: str
    command: str = ""


def obstacles(found: Sequence[Zone], at: Surroundings) -> tuple[str, list[Step]]:
    """Why packages are not measured, and what to do about it; empty where they are."""
    packages = counted(found)[PACKAGE]
    closed = [zone for zone in packages if zone.obstacle]
    if packages and not closed:
        return "", []
    if closed:
        named = ", ".join(f"{zone.part} ({zone.obstacle})" for zone in closed)
        return f"counters of packages cannot be read: {named}", _permissions(found, at)
    if not at.system.startswith("linux"):
        name = SYSTEMS.get(at.system, at.system)
        return f"on {name} there are no counters that this tool reads", []
    if at.is_virtual:
        fact = "this is a virtual machine, to which the processor's counters are not passed on"
        return fact, [Step("Measure on its host, or on a machine of your own")]
    if at.is_container:
        return "the container does not show the processor's counters", [_mounting()]
    if at.machine not in X86:
        return f"processors of the kind {at.machine} have no counters that this tool reads", []
    what = "Load their module (Intel; AMD from Zen on, Linux 5.8 to 5.11 and later)"
    fact = "Linux shows no counter of a processor package"
    return fact, [Step(what, "sudo modprobe intel_rapl_msr")]


def _mounting() -> Step:
    """Counters lie behind links, and runtimes hide them where they are: hence another place."""
    folder = "/sys/devices/virtual/powercap"
    command = f"docker run -v {folder}:/powercap:ro -e {VARIABLE}=/powercap ..."
    return Step("Start the container, as root or with counters that all may read, by", command)


def _permissions(found: Sequence[Zone], at: Surroundings) -> list[Step]:
    """Since 2020 only root may read them."""
    parts = [zone for zones in counted(found).values() for zone in zones]
    denied = [str(zone.file) for zone in parts if zone.is_denied]
    if not denied:
        return []
    where = "On the container's host, let" if at.is_container else "Let"
    files = " ".join(map(shlex.quote, denied))
    chgrp, chmod = (
        f'RUN+="/bin/{word} /sys%p/energy_uj"' for word in (f"chgrp {GROUP}", "chmod g+r")
    )
    join = f'sudo groupadd -f {GROUP} && sudo usermod -aG {GROUP} "$USER"'
    return [
        Step(f"{where} everybody read them until the next start", f"sudo chmod a+r {files}"),
        Step(
            f"{where} a group read them from the next start on (who reads them can learn what "
            "others compute, CVE-2020-8694)",
            f"{join} && echo '{RULE}, {chgrp}, {chmod}' | sudo tee {RULES_FILE}",
        ),
    ]
