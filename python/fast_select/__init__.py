"""Pick the rows of a data set worth training on.

>>> import numpy as np, fast_select
>>> x = np.random.default_rng(0).normal(size=(500, 8))
>>> fast_select.select(x, ratio=0.1, n_random=2).indices.size
50
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import energy as energy
    from . import io as io
    from . import report as report
    from ._compare import compare
    from ._core import __version__
    from ._errors import ComputationError, FastSelectError, InvalidInputError
    from ._estimator import FastSelector
    from ._evaluate import evaluate
    from ._plan import plan
    from ._select import select, select_nested
    from ._selection import Selection
    from ._verify import Verification, verify

__all__ = [
    "ComputationError",
    "FastSelectError",
    "FastSelector",
    "InvalidInputError",
    "Selection",
    "Verification",
    "__version__",
    "compare",
    "evaluate",
    "plan",
    "select",
    "select_nested",
    "verify",
]

_HOMES = {
    "_compare": ("compare",),
    "_core": ("__version__",),
    "_errors": ("ComputationError", "FastSelectError", "InvalidInputError"),
    "_estimator": ("FastSelector",),
    "_evaluate": ("evaluate",),
    "_plan": ("plan",),
    "_select": ("select", "select_nested"),
    "_selection": ("Selection",),
    "_verify": ("Verification", "verify"),
}
"""Where the names are: loaded when asked for, so that the command can answer Ctrl-C before.

For the same reason `typing` is not imported here.
"""

_MODULES = ("energy", "io", "report")


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(importlib.import_module(f".{home}", __name__), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
