"""Reports as a page needs them: every key of the kind that it should be, or None."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any

from .._errors import InvalidInputError
from .._reports import checked_report
from .._text import shortened, visible
from ..report import RIVALS


@dataclass(frozen=True)
class Maybe:
    """What may be missing, or null."""

    layout: Any


@dataclass(frozen=True)
class Each:
    """Entries of one kind, under whatever keys; `needed`: one that must be there."""

    layout: Any
    needed: str = ""


class Line(str):
    """A kind of text of which nothing is obeyed where it is shown."""


FIGURES = Each(float, "cfd_m")
DRAWN = Each({"mean": float, "values": [float], "beaten": int, "lost": int}, "cfd_m")
RANKED = {"cfd_m": float, "coverage_mean": float}
POINTS = {"row": [int], "x": [float], "y": [float], "class": Maybe([int])}

LAYOUT = {
    "tool": {"version": Line, "instruction_set": Line, "n_threads": Maybe(int)},
    "created": Maybe(Line),
    "input": {
        "files": Maybe([str]),
        "columns": Maybe([str]),
        "sha256": Maybe(str),
        "shape": [int],
        "dtype": Line,
        "n_kept": int,
        "n_nonfinite": int,
        "n_constant_columns": int,
        "n_distinct": int,
        "scale": Maybe(Line),
        "hashes": Maybe(Each(Maybe(str))),
        "named": Maybe(Each(object)),
        "balance_file": Maybe(str),
    },
    "options": Each(object),
    "selection": {
        "count": int,
        "classes": Maybe([{"label": object, "n_rows": int, "selected": int}]),
        "ranking": Maybe(
            [
                {
                    "share": float,
                    "count": int,
                    "prefix": RANKED,
                    "selected": Maybe(RANKED),
                    "random": Maybe(RANKED),
                }
            ]
        ),
        "ratios": Maybe([float]),
        "without_effect": Maybe([Line]),
        "notes": Maybe([Line]),
        "file": Maybe(str),
    },
    "quality": {
        "n_random": int,
        "n_blocks": Maybe(int),
        "coverage_rows": Maybe(int),
        "selection": FIGURES,
        **{kind: Maybe(DRAWN) for kind in RIVALS},
        "characteristic_function": Maybe(
            {
                "radii": [float],
                "whole": [float],
                "selection": [float],
                "random": Maybe([float]),
            }
        ),
        "distances": Maybe(
            {
                "levels": [float],
                "selection": [float],
                "random": Maybe([float]),
                "farthest": Maybe([{"row": int, "pick": int, "distance": float}]),
            }
        ),
    },
    "weights": Maybe(
        {
            "min": int,
            "median": float,
            "max": int,
            "effective_sample_size": float,
            "weighted": FIGURES,
            "unweighted": FIGURES,
        }
    ),
    "map": Maybe(
        {"method": Line, "explained": [float], "rows": POINTS, "selected": POINTS},
    ),
    "verdict": Line,
    "stages": [{"name": Line, "wall_s": float, "cpu_s": float, "joules": float}],
    "totals": {"wall_s": float, "cpu_s": float, "joules": float},
    "energy": {
        "source": Line,
        "note": Line,
        "low_joules": Maybe(float),
        "high_joules": Maybe(float),
        "joules_per_row": Maybe(float),
        "package_joules": Maybe(float),
        "dram_joules": Maybe(float),
    },
    "crew": Maybe({"processes": int, "machines": int, "cpu_s": float, "joules": float}),
    "memory": {
        "peak_bytes": Maybe(int),
        "above_bytes": Maybe(int),
        "mapped_input_bytes": int,
        "mapped_scratch_bytes": Maybe(int),
        "max_bytes": Maybe(int),
    },
}
"""The part of a report that is shown."""

EQUALLY_LONG = (
    ("quality.characteristic_function", ("radii", "whole", "selection", "random")),
    ("quality.distances", ("levels", "selection", "random")),
    ("map.rows", ("row", "x", "y", "class")),
    ("map.selected", ("row", "x", "y", "class")),
)
"""Lists that go together."""


@dataclass(frozen=True)
class Told:
    """A report, what it is called, and where it is, by which files that it names are found."""

    report: dict[str, Any]
    name: str
    path: str

    @classmethod
    def of(cls, report: Any, path: str = "report", *, of_several: bool = False) -> Told:
        """What has been parsed; refused where it is no report, or not whole.

        `of_several`: whether its file has others, of other ratios.
        """
        filled = _filled(checked_report(report, path), LAYOUT, "", path)
        _check_lengths(filled, path)
        name = "standard input" if path == "-" else visible(PurePath(path).name)
        if of_several and filled["options"].get("ratio") is not None:
            name += f", ratio {shortened(str(filled['options']['ratio']))}"
        return cls(filled, name, path)

    @cached_property
    def n_rows(self) -> int:
        """Rows that it was selected from."""
        return int(self.report["input"]["n_kept"])

    @cached_property
    def count(self) -> int:
        """Rows that were selected."""
        return int(self.report["selection"]["count"])

    @cached_property
    def input_name(self) -> str:
        """What was selected from, in a word; empty where it was given in Python."""
        files = self.report["input"]["files"] or []
        named = (self.report["input"]["named"] or {}).get("inputs")
        names = named or files
        if not names:
            return ""
        first = "standard input" if names[0] == "-" else PurePath(names[0]).name
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return shortened(first) + more

    @cached_property
    def headline(self) -> str:
        """What was selected from what."""
        share = self.count / self.n_rows if self.n_rows else 0.0
        many = f"{self.count:,} of {self.n_rows:,} rows ({share * 100:.3g} %)"
        return f"{many} of {self.input_name}" if self.input_name else many

    @cached_property
    def rival(self) -> str | None:
        """The kind of random selections that the verdict is about; None where there are none."""
        quality = self.report["quality"]
        return next((kind for kind in ("stratified", "random") if quality[kind]), None)

    @cached_property
    def drawn_cfd(self) -> dict[str, Any] | None:
        """The CF distances of these random selections."""
        drawn = self.report["quality"][self.rival] if self.rival else {}
        return drawn.get("cfd_m") or None


def common_rival(tolds: Sequence[Told]) -> str | None:
    """The kind of random selections that several reports are shown beside: one that all have."""
    if len(tolds) == 1:
        return tolds[0].rival
    quality = [told.report["quality"] for told in tolds]
    kinds = ("stratified", "random")
    return next((kind for kind in kinds if all(each[kind] for each in quality)), "random")


def _filled(value: Any, layout: Any, path: str, name: str) -> Any:
    """A copy of what `layout` tells of, with None for what is missing and may be."""
    if isinstance(layout, Maybe):
        return None if value in (None, {}) else _filled(value, layout.layout, path, name)
    if isinstance(layout, Each):
        _check(isinstance(value, Mapping), value, path, name)
        if layout.needed:
            _check_has(layout.needed, value, path, name)
        return {
            visible(str(key)): _filled(each, layout.layout, _joined(path, key), name)
            for key, each in value.items()
        }
    if isinstance(layout, dict):
        _check(isinstance(value, Mapping), value, path, name)
        for key, inner in layout.items():
            if not isinstance(inner, Maybe):
                _check_has(key, value, path, name)
        return {
            key: _filled(value.get(key), inner, _joined(path, key), name)
            for key, inner in layout.items()
        }
    if isinstance(layout, list):
        _check(isinstance(value, (list, tuple)), value, path, name)
        return [_filled(each, layout[0], path, name) for each in value]
    _check(_fits(value, str if layout is Line else layout), value, path, name)
    return visible(value) if layout is Line else value


def _fits(value: Any, kind: type) -> bool:
    """Whether a value is of a kind; a number, whether it is finite and of a size that we write."""
    if kind is object:
        return True
    if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else kind):
        return False
    if isinstance(value, int):
        return abs(value) < 2**64
    return not isinstance(value, float) or math.isfinite(value)


def _joined(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _check(fits: bool, value: Any, path: str, name: str) -> None:
    if not fits:
        is_number = isinstance(value, (int, float))
        told = shortened(str(value)) if is_number else type(value).__name__
        raise InvalidInputError(name, f"has {told} in '{shortened(path)}', which is none of ours")


def _check_has(key: str, value: Mapping[str, Any], path: str, name: str) -> None:
    if key not in value:
        where = shortened(_joined(path, key))
        raise InvalidInputError(name, f"has no '{where}': it is not whole, or no report")


def _check_lengths(report: dict[str, Any], name: str) -> None:
    """Refuse what would not fit together in a picture."""
    for path, keys in EQUALLY_LONG:
        part: Any = report
        for key in path.split("."):
            part = part and part[key]
        if part and len({len(part[key]) for key in keys if part[key] is not None}) > 1:
            raise InvalidInputError(name, f"has lists of several lengths in '{path}'")
    for kind in RIVALS:
        drawn = (report["quality"][kind] or {}).values()
        numbers = {len(each["values"]) for each in drawn}
        if len(numbers) > 1 or 0 in numbers:
            fact = f"has no draws, or several numbers of them, in 'quality.{kind}'"
            raise InvalidInputError(name, fact)
    if len(report["input"]["shape"]) != 2:
        fact = f"has {report['input']['shape']} in 'input.shape', which is no shape of a matrix"
        raise InvalidInputError(name, fact)
    inputs = (report["input"]["named"] or {}).get("inputs", [])
    if not isinstance(inputs, (list, tuple)) or not all(isinstance(each, str) for each in inputs):
        raise InvalidInputError(name, "has no names of files in 'input.named.inputs'")
    classes = report["selection"]["classes"] or []
    for points in (report["map"] or {}).get("rows"), (report["map"] or {}).get("selected"):
        if points and not all(0 <= code < len(classes) for code in points["class"] or []):
            raise InvalidInputError(name, "has classes in 'map' that it does not name")
    if report["map"] and len(report["map"]["explained"]) != 2:
        raise InvalidInputError(name, "has no two shares in 'map.explained'")
