"""The instruction set that a run is asked to use."""

from __future__ import annotations

from . import _core
from ._errors import refused

NAMES = ("scalar", "avx2", "avx512", "neon")
"""All that there are, on machines of every kind."""


def pin_instruction_set(name: str | None) -> None:
    """Use an instruction set, if one is named, from now on.

    Raises
    ------
    InvalidInputError
        Where the machine does not have it, or another is in use.
    """
    if name is None:
        return
    available = _core.instruction_sets()
    if name not in available:
        fact = f"{name!r} is not one of this machine's: {', '.join(available)}"
        raise refused("instruction_set", fact, "Name one of them")
    _core.prefer_instruction_set(name)
    used = _core.info()["instruction_set"]
    if used != name:
        fact = f"{name} cannot be used: this process uses {used} already"
        fix = f"Start it anew, with FAST_SELECT_INSTRUCTION_SET={name} in its environment"
        raise refused("instruction_set", fact, fix)
