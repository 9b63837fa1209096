"""What has been parsed as JSON: whether it is a report, and of a schema that is known."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ._errors import InvalidInputError
from .report import SCHEMA


def checked_report(report: Any, name: str) -> Mapping[str, Any]:
    """A report of this schema or an older one; `name`: what errors call it."""
    refuse = partial(InvalidInputError, name)
    if not isinstance(report, Mapping) or "schema" not in report:
        raise refuse("is no report of fast-select", "Name what --report or --json has written")
    schema = report["schema"]
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise refuse(f"has schema {schema!r}, which is none")
    if schema > SCHEMA:
        fact = f"is of schema {schema}, newer than this version's {SCHEMA}"
        raise refuse(fact, "Update fast-select")
    return report
