"""Pick the rows of a data set worth training on.

>>> import numpy as np, fast_select
>>> x = np.random.default_rng(0).normal(size=(500, 8))
>>> fast_select.select(x, ratio=0.1, n_random=2).indices.size
50
"""

from ._api import Selection, select, select_nested
from ._compare import compare
from ._core import info as _info
from ._errors import ComputationError, FastSelectError, InvalidInputError
from ._evaluate import evaluate
from ._plan import plan

__version__: str = _info()["version"]
__all__ = [
    "ComputationError",
    "FastSelectError",
    "InvalidInputError",
    "Selection",
    "compare",
    "evaluate",
    "plan",
    "select",
    "select_nested",
]
