"""Pick the rows of a data set worth training on.

>>> import numpy as np, fast_select
>>> x = np.random.default_rng(0).normal(size=(500, 8))
>>> fast_select.select(x, ratio=0.1, n_random=2).indices.size
50
"""

from ._compare import compare
from ._core import __version__
from ._errors import ComputationError, FastSelectError, InvalidInputError
from ._evaluate import evaluate
from ._plan import plan
from ._select import Selection, select, select_nested

__all__ = [
    "ComputationError",
    "FastSelectError",
    "InvalidInputError",
    "Selection",
    "__version__",
    "compare",
    "evaluate",
    "plan",
    "select",
    "select_nested",
]
