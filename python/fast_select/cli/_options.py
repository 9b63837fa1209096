"""Options that commands share, and a help page with an Advanced section."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

ADVANCED: dict[str, tuple[str, type | click.Choice[str], str]] = {
    "method": (
        "--method",
        click.Choice(["exchange", "fast", "paper", "random", "k-center", "k-means", "herding"]),
        "exchange: ours; paper: FAST's graph, descent and assignment; fast: those, then exchange; "
        "the others are rivals to compare with.",
    ),
    "space": (
        "--space",
        click.Choice(["joint", "features", "spectral"]),
        "Space in which the descent matches distributions.",
    ),
    "n_neighbors": ("--neighbors", int, "Neighbours of a row in the graph."),
    "n_components": ("--components", int, "Spectral components."),
    "n_freqs": ("--frequencies", int, "Frequencies of the library."),
    "batch_size": ("--batch", int, "Frequencies of a step."),
    "max_steps": ("--steps", int, "Steps of the descent at most."),
    "learning_rate": ("--learning-rate", float, "First step, in median distances."),
    "lambda_div": ("--lambda-div", float, "Weight of the diversity term."),
    "lambda_match": ("--lambda-match", float, "Weight of the match term."),
    "lambda_graph": ("--lambda-graph", float, "Weight of the graph term."),
    "lambda_phase": ("--lambda-phase", float, "Strength of the phase term."),
    "init": ("--init", click.Choice(["random", "k-means++", "k-means"]), "Rows to start from."),
    "schedule": (
        "--schedule",
        click.Choice(["progressive", "all"]),
        "Order in which frequencies take part.",
    ),
    "base_radius": ("--base-radius", float, "Coarsest radius of the exchange."),
    "lambda_cover": ("--lambda-cover", float, "Weight of coverage in the exchange."),
    "max_sweeps": ("--sweeps", int, "Rounds of the exchange at most."),
    "block_rows": (
        "--block-rows",
        int,
        "Rows exchanged among each other at most; larger groups are cut.",
    ),
}
"""Core option: flag, type, help. Defaults are the core's (shown in the help)."""


class AdvancedCommand(click.Command):
    """A command whose help lists the advanced options apart, with the core's defaults."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the two lists."""
        from .. import _core

        defaults = _core.default_options()
        usual, advanced = [], []
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None:
                continue
            if param.name in ADVANCED:
                advanced.append((record[0], f"{record[1]} [default: {defaults[param.name]}]"))
            else:
                usual.append(record)
        with formatter.section("Options"):
            formatter.write_dl(usual)
        if advanced:
            with formatter.section("Advanced"):
                formatter.write_dl(advanced)


def advanced_options(command: Command) -> Command:
    """Add the options of ADVANCED, None where not given."""
    for name, (flag, kind, text) in reversed(ADVANCED.items()):
        command = click.option(flag, name, type=kind, default=None, help=text)(command)
    return command


def feature_options(command: Command) -> Command:
    """Add the options of every command that reads features."""
    options = [
        click.option("--key", help="Array of features in an .npz file."),
        click.option("--labels", help="File of labels: .npy, .npz, or text with one a line."),
        click.option("--label-key",
                     help="Array of labels in the .npz file (of --labels, or the input)."),
        click.option("--scale", type=click.Choice(["auto", "none", "standard"]), default="auto",
                     show_default=True, help="Scaling of the columns."),
        click.option("--nonfinite", type=click.Choice(["error", "drop"]), default="error",
                     show_default=True, help="What to do with rows that hold NaN or infinity."),
        click.option("--flatten", is_flag=True, help="Make each entry of a >2-D array a row."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def memory_size(_ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Bytes from a number and a unit: 2GiB, 500MB, 1.5G, 1000000."""
    if value is None:
        return None
    match = re.fullmatch(r"\s*([\d.]+)\s*([kmgt]?)(i?)b?\s*", value.lower())
    try:
        number = float(match[1]) if match else 0.0
    except ValueError:
        number = 0.0
    if match is None or number <= 0:
        raise click.BadParameter(f"'{value}' is not a size such as 2GiB or 500MB", param=param)
    # As with most schedulers, a bare letter is a power of 1,024; only kB, MB ... are decimal.
    decimal = match[2] and not match[3] and value.lower().rstrip().endswith("b")
    return int(number * (1000 if decimal else 1024) ** " kmgt".index(match[2] or " "))


memory_option = click.option(
    "--max-memory",
    callback=memory_size,
    help="Memory that the process may take, such as 2GiB, the mapped input aside. Blocks become "
    "smaller to keep to it.",
)


balance_option = click.option(
    "--balance",
    type=click.Choice(["proportional", "equal"]),
    default="proportional",
    show_default=True,
    help="How the count is shared out among the classes.",
)

threads_option = click.option(
    "--threads",
    type=int,
    default=None,
    help="Threads. [default: all that the process may use]",
)

random_option = click.option(
    "--random",
    "n_random",
    type=click.IntRange(0, 10_000),
    default=20,
    show_default=True,
    help="Random selections to compare with.",
)


def judging_options(command: Command) -> Command:
    """Add the options of every command that judges selections and writes no file."""
    options = [
        click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=0, show_default=True,
                     help="Seed of every random draw."),
        threads_option,
        click.option("--quiet", is_flag=True, help="Nothing on stderr but errors."),
        click.option("--json", "as_json", is_flag=True, help="Print the report on stdout."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def run_options(command: Command) -> Command:
    """Add the options of every command that computes and writes."""
    options = [
        random_option,
        click.option("--watts-per-core", type=click.FloatRange(min=0, min_open=True),
                     default=10.0, show_default=True,
                     help="For the estimate of energy where it cannot be measured."),
        click.option("-o", "--output", default=None,
                     help="Where to write the indices: .npy, .npz, .txt, .csv, or - for one a "
                     "line on stdout. [default: <input>.selected.npy here]"),
        click.option("--report", default=None,
                     help="Where to write the report. [default: <input>.report.json here; none "
                     "with -o -]"),
        click.option("--force", is_flag=True, help="Overwrite existing files."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return judging_options(command)
