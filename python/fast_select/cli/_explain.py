"""Errors in the words of the command line: parameters become flags."""

from __future__ import annotations

from collections.abc import Mapping

import click

from .. import _core
from .._errors import FastSelectError, rendered
from .._text import visible

OTHER_NAMES = {"x": "input"}
"""What parameters that have no flag are called."""


def explain(err: FastSelectError, group: click.Group) -> str:
    """One message: thing, fact and fix, on one line."""
    flags = flags_of(group)

    def flag(name: str) -> str:
        return flags.get(name, OTHER_NAMES.get(name, name))

    what = err.what
    if err.is_parameter:
        what = " and ".join(flag(name) for name in what.split(" and "))
    text = f"{what}: {err.fact}."
    return visible(text + (f" {rendered(err.fix, flag)}." if err.fix else ""))


def rename(err: FastSelectError, flags: Mapping[str, str]) -> None:
    """Have an error speak of parameters by the flags that they were given by."""
    if err.is_parameter:
        err.what = " and ".join(flags.get(name, name) for name in err.what.split(" and "))
    err.fix = rendered(err.fix, lambda name: flags.get(name, f"{{{name}}}"))


def flags_of(group: click.Group) -> dict[str, str]:
    """The flag of each parameter: those of the commands, and of the core's table."""
    own = {
        str(param.name): param.opts[0]
        for command in group.commands.values()
        for param in command.params
        if isinstance(param, click.Option)
    }
    # `select` has every option of the table.
    return own | {entry["name"]: entry["flag"] for entry in _core.option_table("select")}
