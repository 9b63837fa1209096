"""The command group, and the only place where exit codes are chosen.

0 done, 1 the computation failed, 2 wrong usage or input, 130 interrupted.
"""

from __future__ import annotations

import difflib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from .. import _core
from .._allocator import return_large_buffers
from .._errors import FastSelectError, InvalidInputError, core_errors
from .._text import counted, visible
from ._commit import Outcome
from ._explain import explain
from ._signals import (
    Stopped,
    accept_interrupts,
    end_by,
    ignore_interrupts,
    interrupts_kept,
    stop_again,
)
from ._streams import install as install_streams
from .compare import compare
from .demo import demo
from .energy import energy
from .evaluate import evaluate
from .merge import merge
from .plan import plan
from .report import report
from .select import select
from .shard import shard
from .verify import verify

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMPLETE = "_FAST_SELECT_COMPLETE"
"""The variable by which a shell asks for completions, as click names it."""

HELP_PAGES: tuple[type[click.UsageError], ...] = tuple(
    kind for name, kind in vars(click.exceptions).items() if name == "NoArgsIsHelpError"
)
"""Errors whose message is the help page; click before 8.2 has none."""

MORE_MEMORY = "Set --max-memory, use fewer --threads, or select from fewer rows at a time"
NO_MEMORY = f"memory: cannot be had; nothing was written. {MORE_MEMORY}"
CUT_SHORT = (
    "input: was cut short while it was read; nothing was written. Run again once it stays as it is"
)


class DefaultGroup(click.Group):
    """A group whose first word may be left out: then it is ``select``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``select`` before what does not begin with a command or an option of the group."""
        own = {name for param in self.params for name in param.opts}
        own |= set(self.get_help_option_names(ctx))
        if args and args[0] not in self.commands and args[0] not in own:
            if not ctx.resilient_parsing:
                self._check_spelling(args[0])
            args = ["select", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands and options of the group, and what `select` begins with."""
        with click.Context(select, ctx, "select", resilient_parsing=True) as inner:
            first = select.params[0].shell_complete(inner, incomplete)
            items = [
                *super().shell_complete(ctx, incomplete),
                *select.shell_complete(inner, incomplete),
            ]
        if not incomplete.startswith("-"):
            items += first
        return list({item.value: item for item in items}.values())

    def _check_spelling(self, word: str) -> None:
        """Refuse what is no file and looks like a command."""
        if "/" in word or os.sep in word or Path(word).suffix or os.path.lexists(word):
            return
        for meant in difflib.get_close_matches(word.lower(), self.commands, n=1):
            fact = "is neither a command nor a file"
            raise InvalidInputError(word, fact, f"Perhaps '{meant}' is meant")

    def main(self, *args: Any, **settings: Any) -> Any:
        """Run; words of the user that click repeats are shown escaped."""
        try:
            return super().main(*args, **settings)
        except click.UsageError as err:
            if isinstance(err, HELP_PAGES):
                raise
            raise click.UsageError(visible(err.format_message()), err.ctx) from err


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from .._checks import usable_threads

    info = _core.info()
    threads = counted(usable_threads(), "thread")
    click.echo(f"fast-select {info['version']} ({info['instruction_set']}, {threads})")
    ctx.exit()


@click.group(cls=DefaultGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print version, instruction set and threads, and exit.",
)
def cli() -> None:
    """Pick the rows of a data set worth training on.

    \b
    fast-select features.npy --ratio 0.1
    fast-select data.npz --key x --label-key y --ratio 0.01 -o rows.txt
    cat features.npy | fast-select - --count 500 -o - | head
    fast-select evaluate features.npy features.selected.npy
    fast-select compare features.npy --labels labels.npy --ratio 0.05
    fast-select plan features.npy --ratio 0.1
    fast-select shard 3/8 features/ --ratio 0.1 --checkpoint work
    fast-select merge work -o rows.npy
    fast-select verify features.report.json
    fast-select energy
    fast-select report features.report.json -o report.html
    fast-select demo

    The first word may be a command; without one it is `select`, whose options
    `fast-select select --help` lists.
    """


cli.add_command(select)
cli.add_command(demo)
cli.add_command(evaluate)
cli.add_command(compare)
cli.add_command(plan)
cli.add_command(shard)
cli.add_command(merge)
cli.add_command(verify)
cli.add_command(energy)
cli.add_command(report)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line within another program and return its exit code."""
    with interrupts_kept():
        return carried_out(None if argv is None else list(argv))


def carried_out(args: list[str] | None) -> int:
    """Run the command line and return its exit code; from then on Ctrl-C does nothing."""
    outcome = Outcome()
    try:
        accept_interrupts()
        if os.environ.get(COMPLETE):
            from ._completion import prepare

            prepare(cli, COMPLETE)
        with core_errors():
            result = cli.main(
                args=args, prog_name="fast-select", standalone_mode=False, obj=outcome
            )
        sys.stdout.flush()
        ignore_interrupts()
        return result if isinstance(result, int) else 0
    except BaseException as err:
        ignore_interrupts()
        return told(err, outcome)


def told(err: BaseException, outcome: Outcome) -> int:
    """The exit code of what has ended a run, after a line on stderr that says what it was."""
    if isinstance(err, click.Abort):  # click's for the end of a file, and for Ctrl-C
        err = err.__cause__ or KeyboardInterrupt()
    if isinstance(err, Stopped) and err.number != signal.SIGINT:
        return end_by(err.number)
    if isinstance(err, (KeyboardInterrupt, Stopped)):
        begin = "\n" if sys.stderr.isatty() else ""  # after the terminal's ^C
        click.echo(f"{begin}Interrupted; {outcome}.", err=True)
        return 130
    if isinstance(err, HELP_PAGES):
        err.show()
        return err.exit_code
    if isinstance(err, click.ClickException):
        message = " ".join(err.format_message().split())
        context = err.ctx if isinstance(err, click.UsageError) else None
        fix = f" '{context.command_path} --help' tells more." if context else ""
        end = "" if message.endswith("?") else "."
        click.echo(f"Error: {message.rstrip('.')}{end}{fix}", err=True)
        return err.exit_code
    if isinstance(err, FastSelectError):
        click.echo(f"Error: {explain(err, cli)}", err=True)
        return 2 if isinstance(err, InvalidInputError) else 1
    if isinstance(err, MemoryError):
        click.echo(f"Error: memory: cannot be had; {outcome}. {MORE_MEMORY}.", err=True)
        return 1
    if isinstance(err, SystemExit):
        raise err
    # A bug of ours. PyO3's panics are no Exception.
    import traceback

    at = traceback.extract_tb(err.__traceback__)[-1]
    fact = " ".join(f"{type(err).__name__}: {err}".split())
    place = f"{Path(at.filename).name}:{at.lineno}"
    click.echo(
        f"Error: fast-select: failed in {place} ({fact}); {outcome}. Please report this as a bug.",
        err=True,
    )
    return 1


def start() -> NoReturn:
    """Run as a process of its own, which may set what belongs to the process, and exit."""
    return_large_buffers()
    install_streams()
    sys.unraisablehook = stop_again
    # On a terminal a progress bar may stand there, and the cursor be hidden.
    begin = "\n\x1b[?25h" if sys.stderr.isatty() else ""
    memory, cut = (f"{begin}Error: {text}.\n".encode() for text in (NO_MEMORY, CUT_SHORT))
    _core.exit_on_faults(memory, cut)
    sys.exit(carried_out(None))
