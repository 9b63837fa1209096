"""The command group, and the only place where exit codes are chosen.

0 done, 1 the computation failed, 2 wrong usage or input, 130 interrupted.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from .._errors import FastSelectError, InvalidInputError, core_errors
from .._text import counted, visible
from ._allocator import return_large_buffers
from ._explain import explain
from .compare import compare
from .demo import demo
from .evaluate import evaluate
from .plan import plan
from .select import select


class DefaultGroup(click.Group):
    """A group whose first word may be left out: then it is ``select``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``select`` before what does not begin with a command or an option of the group."""
        own = {name for param in self.params for name in param.opts}
        own |= set(self.get_help_option_names(ctx))
        if args and args[0] not in self.commands and args[0] not in own:
            self._check_spelling(args[0])
            args = ["select", *args]
        return super().parse_args(ctx, args)

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
            if isinstance(err, getattr(click.exceptions, "NoArgsIsHelpError", ())):
                raise  # its message is the help page
            raise click.UsageError(visible(err.format_message()), err.ctx) from err


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from .. import _core
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
    fast-select demo

    The first word may be a command; without one it is `select`, whose options
    `fast-select select --help` lists.
    """


cli.add_command(select)
cli.add_command(demo)
cli.add_command(evaluate)
cli.add_command(compare)
cli.add_command(plan)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        args = None if argv is None else list(argv)
        with core_errors():
            result = cli.main(args=args, prog_name="fast-select", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted; nothing was written.", err=True)
        return 130
    except click.ClickException as err:
        err.show()
        return err.exit_code
    except BrokenPipeError:
        # The reader has left, as `head` does. What Python would still flush has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except FastSelectError as err:
        click.echo(f"Error: {explain(err, cli)}", err=True)
        return 2 if isinstance(err, InvalidInputError) else 1
    except MemoryError:
        click.echo("Error: out of memory. Select from fewer rows at a time.", err=True)
        return 1


def run() -> None:
    """Entry point of the console script."""
    return_large_buffers()
    sys.exit(main())
