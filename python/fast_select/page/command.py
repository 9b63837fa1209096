"""How a selection was made, as a line to copy: of the shell, or of Python where it came from there.

It holds what the input was called, the options that are not as they are by default, and the file of
the rows.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from .. import _core
from .told import Told

ARRAYS = ("labels", "rows")
"""Kinds of options that are arrays in Python and files in the shell."""

COUNTS = "counts.csv"
"""What a file of rows per class is called where its name is not known."""


def command(told: Told) -> list[str]:
    """The words of the line that makes this selection; none for one that was only judged."""
    report = told.report
    if "method" not in report["options"]:
        return []
    named = report["input"]["named"]
    return _shell(told, named) if named and named.get("inputs") else [_python(report)]


def _shell(told: Told, named: dict[str, Any]) -> list[str]:
    words = ["fast-select", "select", *map(_file, named["inputs"])]
    for name, value in named.items():
        if name != "inputs":
            words += _option(f"--{name.replace('_', '-')}", value)
    table = {entry["name"]: entry for entry in _core.option_table("select")}
    for name, value in _set(told.report):
        if name == "balance" and isinstance(value, dict):
            value = told.report["input"]["balance_file"] or COUNTS
        for each in value if isinstance(value, list) else [value]:
            words += _option(table[name]["flag"], each)
    ratios, own = told.report["selection"]["ratios"], told.report["options"].get("ratio")
    file = told.report["selection"]["file"]
    if file:
        words += _option("--output", _unmarked(file, own) if ratios else file)
    return list(map(quoted, words))


def _python(report: dict[str, Any]) -> str:
    hashes = report["input"]["hashes"] or {}
    given = [
        f"{entry['name']}={entry['name']}"
        for entry in _core.option_table("select")
        if entry["kind"] in ARRAYS and hashes.get(entry["name"])
    ]
    function = "select_nested" if report["selection"]["ratios"] else "select"
    for name, value in _set(report):
        keyword = "ratios" if isinstance(value, list) else name
        given.append(f"{keyword}={value!r}")
    return f"fast_select.{function}({', '.join(['X', *given])})"


def _set(report: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The options that are not as they are by default; all ratios that go together are a list."""
    options = report["options"]
    by_default = {"threads": report["tool"]["n_threads"]}
    for entry in _core.option_table("select"):
        name = entry["name"]
        value = options.get(name)
        if name == "ratio" and report["selection"]["ratios"]:
            yield name, report["selection"]["ratios"]
        elif value is not None and value != by_default.get(name, entry["default"]):
            yield name, value


def _option(flag: str, value: Any) -> list[str]:
    """A flag and its value, which is part of it where it could be taken for another flag."""
    if value is True:
        return [flag]
    text = str(value)
    return [f"{flag}={text}"] if text.startswith("-") and len(text) > 1 else [flag, text]


def _file(name: Any) -> str:
    """A file's name that cannot be taken for a flag."""
    text = str(name)
    return f"./{text}" if text.startswith("-") and len(text) > 1 else text


def _unmarked(name: str, ratio: Any) -> str:
    """The name of a file without the ratio that was put into it."""
    path = PurePath(name)
    return str(path.parent / (path.stem.removesuffix(f"-{ratio}") + path.suffix))


def quoted(word: str) -> str:
    r"""A word as a shell takes it.

    >>> print(quoted("x.npy"), quoted("my file"), quoted("it's"), quoted("two\nlines"))
    x.npy 'my file' 'it'"'"'s' $'two\nlines'
    """
    if word.isprintable():
        return shlex.quote(word)
    escaped = re.sub(r"['\\]", r"\\\g<0>", word)
    return "$'" + "".join(c if c.isprintable() else _escape(c) for c in escaped) + "'"


def _escape(character: str) -> str:
    code = ord(character)
    if character == "\n":
        return r"\n"
    return f"\\x{code:02x}" if code < 0x80 else f"\\U{code:08x}"
