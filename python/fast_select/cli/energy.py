"""``fast-select energy``: what this machine can measure, and what to do so that it can."""

from __future__ import annotations

import sys
from typing import Any

import click

from ._options import StrictCommand


@click.command(cls=StrictCommand, short_help="Tell whether energy can be measured here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def energy(as_json: bool) -> None:
    """Tell whether energy can be measured here, and what to do so that it can.

    Lists the processor's counters (Linux powercap) and what keeps them from being read, with the
    commands that help. Where they can be read, the machine is measured for a second of rest and a
    second of work on all threads, and a value for --watts-per-core follows, for machines of
    this kind that cannot be measured. FAST_SELECT_POWERCAP names another folder of counters.
    """
    from ..energy.trial import trial
    from ._output import check_stdout, print_json

    check_stdout()
    result = trial()
    if as_json:
        print_json(result)
    else:
        show(result)


def show(result: dict[str, Any]) -> None:
    """Print it on stdout: it is what was asked for."""
    from .._text import figure, visible
    from ..energy.figures import HIGH_WATTS, LOW_WATTS
    from ._columns import Column, Sheet, print_sheet

    def say(text: str = "") -> None:
        click.echo(visible(text))

    if result["source"] == "rapl":
        say("Energy is measured here, by the processor's counters.")
    else:
        say(f"Energy is not measured here, but estimated: {result['reason']}.")
        say(
            "Reports tell CPU seconds x --watts-per-core, and where that is not given a range of "
            f"{LOW_WATTS:g} to {HIGH_WATTS:g} W a core."
        )
    zones = result["zones"]
    if zones:
        say()
        columns = [
            Column("counter", [visible(zone["zone"]) for zone in zones], is_words=True),
            Column("of", [visible(zone["name"]) for zone in zones], is_words=True),
            Column("added up", ["yes" if zone["is_added"] else "no" for zone in zones]),
            Column(
                "can be read",
                [visible(zone["obstacle"] or "yes") for zone in zones],
                is_words=True,
            ),
        ]
        print_sheet(sys.stdout, Sheet(f"Counters in {visible(result['powercap'])}", columns))
    if result["busy"]:
        states = [result["idle"], result["busy"]]
        names = ["at rest", f"all {result['threads']} threads at work"]
        columns = [Column("machine", names, is_words=True)]
        for header, key in (
            ("seconds", "seconds"),
            ("busy cores", "busy_cores"),
            ("packages W", "package_watts"),
            ("DRAM W", "dram_watts"),
        ):
            cells = ["" if s[key] is None else figure(s[key], 2) for s in states]
            columns.append(Column(header, cells))
        say()
        print_sheet(sys.stdout, Sheet("Test measurement, of the whole machine", columns))
        say(
            f"A busy core takes {result['watts_per_core']:.3g} W, idle power shared out: "
            f"--watts-per-core {result['watts_per_core']:.3g} for machines of this kind."
        )
    if result["source"] == "rapl" and result["dram_reason"]:
        say(f"DRAM is not in it: it {result['dram_reason']}.")
    for step in result["advice"]:
        say()
        say(f"{step['what']}{':' if step['command'] else '.'}")
        if step["command"]:
            say(f"    {step['command']}")
