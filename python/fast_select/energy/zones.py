"""The energy counters that the system has, and which of them are to be added up.

Linux shows them as folders (powercap): ``intel-rapl:0`` is a package, ``intel-rapl:0:1`` a part of
it; processors of AMD have packages by the same names. Of a package's parts only DRAM is energy
that the package has not counted. ``psys``, the whole platform, holds the packages; a zone of
``intel-rapl-mmio`` is a second way to the same counter.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")
VARIABLE = "FAST_SELECT_POWERCAP"
"""Names another folder, as where a container has it mounted."""

PACKAGE, DRAM = "package", "dram"
DOMAINS = (PACKAGE, DRAM)


@dataclass(frozen=True)
class Zone:
    """One counter.

    ``name``: as the system calls it; ``domain``: one of :data:`DOMAINS`, or empty where its energy
    is counted elsewhere; ``part``: what it counts, alike for two ways to the same counter;
    ``range_uj``: where it starts again; ``obstacle``: why it cannot be read, or empty;
    ``is_denied``: whether that is a matter of permissions.
    """

    folder: Path
    name: str
    domain: str
    part: str
    range_uj: int
    obstacle: str
    is_denied: bool = False

    @property
    def file(self) -> Path:
        """What holds the microjoules so far."""
        return self.folder / "energy_uj"


def powercap_root() -> Path:
    """Where the system, or ``FAST_SELECT_POWERCAP``, has the counters."""
    return Path(os.environ.get(VARIABLE) or POWERCAP)


def zones(root: Path) -> list[Zone]:
    """All counters, each once."""
    folders = _folders(root)
    names = {key: _name(folder) for key, folder in folders.items()}
    return [_zone(key, folder, names) for key, folder in folders.items()]


def counted(found: Sequence[Zone]) -> dict[str, list[Zone]]:
    """The zones to add up, by domain, of two ways to a counter one that can be read."""
    ways: dict[str, list[Zone]] = {}
    for zone in found:
        if zone.domain:
            ways.setdefault(zone.part, []).append(zone)
    chosen = [min(zones, key=lambda zone: bool(zone.obstacle)) for zones in ways.values()]
    return {domain: [zone for zone in chosen if zone.domain == domain] for domain in DOMAINS}


def _folders(root: Path) -> dict[str, Path]:
    """Folders of zones by their names, those of memory-mapped registers last.

    They lie side by side in the class's folder, one in the other in the devices'.
    """
    found: dict[str, Path] = {}
    for pattern in ("*rapl*:*", "*rapl*/*rapl*:*", "*rapl*/*rapl*:*/*rapl*:*"):
        try:
            for folder in sorted(root.glob(pattern)):
                found.setdefault(folder.name, folder)
        except OSError:
            continue
    return dict(sorted(found.items(), key=lambda item: ("mmio" in item[0], item[0])))


def _name(folder: Path) -> str:
    """What the system calls a zone; empty where it does not tell."""
    try:
        return (folder / "name").read_text().strip()
    except (OSError, ValueError):
        return ""


def _zone(key: str, folder: Path, names: dict[str, str]) -> Zone:
    name = names[key]
    whole, _, _ = key.rpartition(":")
    holder = names.get(whole, "")
    is_part = key.count(":") > 1
    domain, part = "", name
    if name.startswith(PACKAGE) and not is_part:
        domain = PACKAGE
    elif name == DRAM and (holder.startswith(PACKAGE) or not is_part):
        domain, part = DRAM, f"{name} of {holder}" if holder else name
    range_uj, obstacle, is_denied = 0, "", False
    try:
        int((folder / "energy_uj").read_text())
        range_uj = int((folder / "max_energy_range_uj").read_text())
        if range_uj <= 0:
            obstacle = "has no range"
    except OSError as err:
        obstacle, is_denied = err.strerror or str(err), isinstance(err, PermissionError)
    except ValueError:
        obstacle = "is no number"
    return Zone(folder, name, domain, part, range_uj, obstacle, is_denied)
