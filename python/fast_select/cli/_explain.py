"""Errors in the words of the command line: parameters become flags."""

from __future__ import annotations

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


def flags_of(group: click.Group) -> dict[str, str]:
    """The flag of each parameter: those of the commands, and of the core's table."""
    own = {
        str(param.name): param.opts[0]
        for command in group.commands.values()
        for param in command.params
        if isinstance(param, click.Option)
    }
    # Several ratios are one option under another name.
    table = {entry["name"]: entry["flag"] for entry in _core.option_table("select")}
    return own | table
