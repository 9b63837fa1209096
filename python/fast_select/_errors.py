"""What can go wrong, told apart by who can mend it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from . import _core


class FastSelectError(Exception):
    """Base of all errors of this package."""


class InvalidInputError(FastSelectError, ValueError):
    """A refused input or parameter.

    ``name`` is the thing, ``fact`` what is wrong with it, ``fix`` what to do (may be empty).
    """

    def __init__(self, name: str, fact: str, fix: str = "") -> None:
        self.name, self.fact, self.fix = name, fact, fix
        super().__init__(f"{name}: {fact}" + (f". {fix}" if fix else ""))


class ComputationError(FastSelectError, RuntimeError):
    """The input was in order but a computation failed."""


@contextmanager
def core_errors() -> Iterator[None]:
    """Turn the core's exceptions into this package's."""
    try:
        yield
    except _core.NonFinite as err:
        rows = ", ".join(map(str, err.first)) + (", ..." if err.count > len(err.first) else "")
        many = f"{err.count} rows hold" if err.count > 1 else "1 row holds"
        fact = f"{many} NaN or infinity (row {rows})"
        raise InvalidInputError("x", fact, "Clean them or pass nonfinite='drop'") from err
    except _core.InvalidInput as err:
        name, fact = err.args
        raise InvalidInputError(name, fact) from err
    except _core.NotConverged as err:
        raise ComputationError(str(err)) from err
