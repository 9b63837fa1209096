"""What the Tab key offers in bash, zsh and fish. Loaded only when a shell asks."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
)

from .. import _core
from .._compared import METHODS, MODELS
from .._errors import InvalidInputError

NO_FILES = {
    "columns", "group_column", "group_key", "id_key", "key", "label_column", "label_key",
    "max_memory", "test_key", "test_label_column", "test_label_key",
}  # fmt: skip
"""Parameters of free text; all others are names of files."""

LISTS = {"methods": METHODS, "models": tuple(MODELS)}
"""Parameters that are words separated by commas."""


class FileName(click.types.StringParamType):
    """A file, or one of `words`."""

    def __init__(self, words: Sequence[str] = ()) -> None:
        self.words = words

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The words, and the shell's own names of files."""
        items = [CompletionItem(word) for word in self.words if word.startswith(incomplete)]
        return [*items, CompletionItem(incomplete, type="file")]


class WordList(click.types.StringParamType):
    """Several of `words`, separated by commas."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The words that are not in the list yet."""
        done, comma, begun = incomplete.rpartition(",")
        left = [word for word in self.words if word not in done.split(",")]
        return [CompletionItem(done + comma + word) for word in left if word.startswith(begun)]


class Quiet(ShellComplete):
    """Completions of a line that may be wrong as yet, which nobody is told while typing."""

    def complete(self) -> str:
        """The completions as the shell's script reads them; none where there is no telling."""
        try:
            return super().complete()
        except Exception:
            return ""


class Flags(Quiet):
    """A shell to which ``--method=fast`` is one word, replaced as a whole."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Values, each with the flag before it."""
        items = super().get_completions(args, incomplete)
        flag, equals, _ = incomplete.partition("=")
        if equals and flag.startswith("--"):
            items = [
                CompletionItem(f"{flag}={item.value}", help=item.help)
                for item in items
                if item.type == "plain"
            ]
        return items


class Bash(Quiet, BashComplete):
    """Bash, whose lists can hold words and files beside each other."""

    source_template = """\
%(complete_func)s() {
    local kind word
    local -a found
    COMPREPLY=()
    while IFS=, read -r kind word; do
        if [[ $kind == file ]]; then
            compopt -o default -o filenames
            mapfile -t found < <(compgen -f -- "$2")
        elif [[ $kind == plain ]]; then
            COMPREPLY+=("$word")
        fi
    done < <(IFS=$'\\n'
        env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \\
            %(complete_var)s=bash_complete "$1" 2>/dev/null)
    # Of files alone Bash makes a better list by itself: it knows of quotes and ~.
    [[ ${#COMPREPLY[@]} -eq 0 ]] || COMPREPLY+=("${found[@]}")
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words, where the = of ``--method=fast`` is not one of its own as it is to Bash."""
        args, incomplete = super().get_completion_args()
        follows = [before.startswith("--") for before in ["", *args]]
        kept = [word for word, flag in zip(args, follows, strict=False) if word != "=" or not flag]
        return kept, incomplete


class Zsh(Flags, ZshComplete):
    """Zsh."""


class Fish(Flags, FishComplete):
    """Fish."""


def prepare(cli: click.Group, variable: str) -> None:
    """Have click answer what a shell asks by an environment variable.

    Raises
    ------
    InvalidInputError
        Unless it is a shell and `source` or `complete`.
    """
    for kind in (Bash, Zsh, Fish):
        add_completion_class(kind)
    asked = os.environ[variable]
    shell, _, what = asked.partition("_")
    if get_completion_class(shell) is None or what not in ("source", "complete"):
        fix = "Set it to bash_source, zsh_source or fish_source"
        raise InvalidInputError(variable, f"cannot be '{asked}'", fix)
    choices = {entry["name"]: entry["choices"] for entry in _core.option_table("select")}
    choices["cluster"] = ["local"]
    for command in cli.commands.values():
        for param in command.params:
            name = str(param.name)
            if name in LISTS:
                param.type = WordList(LISTS[name])
            elif type(param.type) is click.types.StringParamType and name not in NO_FILES:
                param.type = FileName(choices.get(name) or ())
