"""What can go wrong, told apart by who can mend it.

Errors are fields: ``what`` is at fault, ``fact`` is the matter with it, ``fix`` mends it. They are
made where the fact is known; who shows them puts in the words of their interface.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from . import _core


def rendered(text: str, name_of: Callable[[str], str]) -> str:
    """A fix with the parameters that it names in braces as ``name_of`` calls them.

    >>> rendered("Set {nonfinite} to drop", lambda name: f"--{name}")
    'Set --nonfinite to drop'
    """
    return re.sub(r"\{(\w+)\}", lambda match: name_of(match[1]), text)


class FastSelectError(Exception):
    """Base of all errors of this package: ``what``, ``fact`` and ``fix`` (may be empty).

    ``is_parameter``: whether ``what`` is a parameter by its name in Python; else it is shown as it
    is, a file that happens to be called ``count`` too.
    """

    def __init__(self, what: str, fact: str, fix: str = "", *, is_parameter: bool = False) -> None:
        self.what, self.fact, self.fix, self.is_parameter = what, fact, fix, is_parameter
        fix = rendered(fix, lambda name: name)
        super().__init__(f"{what}: {fact}" + (f". {fix}" if fix else ""))

    def __reduce__(self) -> tuple[Any, ...]:
        """As it comes from another process: by its fields, not by its text."""
        make = partial(type(self), is_parameter=self.is_parameter)
        return make, (self.what, self.fact, self.fix)


class InvalidInputError(FastSelectError, ValueError):
    """A refused input or parameter."""


class ComputationError(FastSelectError, RuntimeError):
    """The input was in order but a computation failed."""


def refused(parameter: str, fact: str, fix: str = "") -> InvalidInputError:
    """The error for a parameter of this package's functions."""
    return InvalidInputError(parameter, fact, fix, is_parameter=True)


@contextmanager
def core_errors() -> Iterator[None]:
    """Turn the core's exceptions into this package's."""
    try:
        yield
    except _core.Refused as err:
        what, fact, fix = err.args
        raise refused(what, fact, fix) from err
    except _core.Failed as err:
        what, fact, fix = err.args
        raise ComputationError(what, fact, fix) from err
