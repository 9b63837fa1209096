"""What is generated from the core's table of options: parameter types, and parts of docstrings.

``python tests/generated.py`` writes it anew; tests/test_options.py checks that nothing is stale.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fast_select import _core

PACKAGE = Path(__file__).parents[1] / "python" / "fast_select"
WIDTH = 100

COMMANDS = {"select": set(), "plan": set(), "evaluate": set(), "compare": {"ratio", "labels"}}
"""Functions with keywords from the table, and which of those they name themselves."""

TYPES = {
    "integer": "int",
    "real": "float",
    "bytes": "int",
    "flag": "bool",
    "labels": "ArrayLike | None",
    "rows": "ArrayLike | None",
}
KINDS = {"labels": "(n,) array", "rows": "array of row numbers, or a mask of all rows"}


def entries(command: str) -> list[dict[str, Any]]:
    """The options of a command that its function takes from the table."""
    table = _core.option_table(command)
    return [entry for entry in table if entry["name"] not in COMMANDS[command]]


def typed(entry: dict[str, Any]) -> str:
    """The type of an option's value."""
    if entry["kind"] == "choice":
        return f"Literal[{', '.join(map(quoted, entry['choices']))}]"
    if entry["kind"] == "shares":
        return f"Literal[{', '.join(map(quoted, entry['choices']))}] | Mapping[Any, int]"
    name = TYPES[entry["kind"]]
    absent = entry["default"] is None and "None" not in name
    return f"{name} | None" if absent else name


def quoted(text: str) -> str:
    """A string literal."""
    return f'"{text}"'


def parameters() -> str:
    """The module of parameter types."""
    parts = [
        '"""Keywords of the functions, from the core\'s table: made by tests/generated.py."""',
        "",
        "from collections.abc import Mapping",
        "from typing import Any, Literal, TypedDict",
        "",
        "from numpy.typing import ArrayLike",
    ]
    for command in COMMANDS:
        name = f"{command.capitalize()}Parameters"
        parts += ["", "", f"class {name}(TypedDict, total=False):"]
        parts += [
            f'    """Options of :func:`fast_select.{command}`; the core has their defaults."""',
            "",
        ]
        for entry in entries(command):
            line = f"    {entry['name']}: {typed(entry)}"
            if len(line) > WIDTH:
                choices = "".join(f"        {quoted(c)},\n" for c in entry["choices"])
                line = f"    {entry['name']}: Literal[\n{choices}    ]"
            parts.append(line)
    return "\n".join(parts) + "\n"


def single_values() -> list[dict[str, Any]]:
    """The options of ``select`` that an estimator can have: no arrays."""
    return [entry for entry in entries("select") if entry["kind"] not in KINDS]


def documented(table: list[dict[str, Any]]) -> str:
    """The entries of a docstring's list of parameters."""
    lines = []
    for entry in table:
        kind = KINDS.get(entry["kind"], entry["rule"])
        kind = kind.removeprefix("one of ").removeprefix("a ").removeprefix("an ")
        lines.append(f"    {entry['name']} : {kind}, default {entry['default']}")
        lines += textwrap.wrap(
            entry["help"], WIDTH - 8, initial_indent=" " * 8, subsequent_indent=" " * 8
        )
    return "\n".join(lines) + "\n"


def with_documented(table: list[dict[str, Any]]) -> Callable[[str], str]:
    """What writes the options in a docstring anew."""
    return with_list(f"{table[0]['name']} : ", documented(table))


def with_list(first: str, made: str) -> Callable[[str], str]:
    """What writes the lines anew that begin with `first` and end with a blank one."""
    pattern = rf"^    {first}.*?\n\n"
    return lambda text: re.sub(pattern, lambda _: made + "\n", text, flags=re.DOTALL | re.MULTILINE)


def estimator(text: str) -> str:
    """The module of the estimator: its fields, and its docstring."""
    table, defaults = single_values(), _core.Params("select").values()
    lines = []
    for entry in table:
        value = defaults[entry["name"]]
        value = quoted(value) if isinstance(value, str) else value
        line = f"    {entry['name']}: {typed(entry)} = {value}"
        if len(line) > WIDTH:
            line = line.replace("[", "[\n        ", 1).replace("]", "\n    ]", 1)
        lines.append(line + "\n")
    text = with_list(f"{table[0]['name']}: ", "".join(lines))(text)
    return with_documented(table)(text)


FILES: dict[str, Callable[[str], str]] = {
    "_parameters.py": lambda _: parameters(),
    "_select.py": with_documented(entries("select")),
    "_evaluate.py": with_documented(entries("evaluate")),
    "_compare.py": with_documented(entries("compare")),
    "_estimator.py": estimator,
}
"""What each file is to hold, given what it holds."""

if __name__ == "__main__":
    for name, made in FILES.items():
        path = PACKAGE / name
        path.write_text(made(path.read_text() if path.exists() else ""))
