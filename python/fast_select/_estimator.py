"""Selecting rows as scikit-learn's estimators and imbalanced-learn's samplers do.

Neither package is needed: they ask for methods, not for base classes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import as_array, is_arrow
from ._checks import checked, matrix
from ._errors import InvalidInputError, refused
from ._labels import Labels, check_rows, labels_of
from ._select import select

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sklearn.utils import Tags

    from ._selection import Selection

RATIO = 0.1
"""Share of the rows where no size is given: estimators can be fitted as they come."""


@dataclass(kw_only=True, eq=False, repr=False)
class FastSelector:
    """Selects rows whose distribution equals that of all rows, as an estimator.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(500, 8))
    >>> selector = FastSelector(ratio=0.1, n_random=2).fit(x)
    >>> selector.sample_indices_.size
    50
    >>> x_selected, _ = selector.fit_resample(x)
    >>> x_selected.shape
    (50, 8)

    It is the last step of a ``Pipeline`` of scikit-learn, and any of imbalanced-learn's. Parameters
    are those of :func:`select`, but where neither ``count`` nor ``balance`` says how many rows, a
    ``ratio`` of None is 0.1, and classes give ``min_per_class`` even if that makes more of them.

    Parameters
    ----------
    use_labels : true or false, default True
        Whether ``y`` are classes, each of which is selected on its own; fractional numbers and
        several columns never are
    ratio : number above 0 and at most 1, default None
        Share of the rows to select, rounded to whole rows.
    count : integer, 1 or more, default None
        Number of rows to select.
    balance : proportional, equal, or rows of each class by its label, default proportional
        How the count is shared out among the classes, each of which is selected on its own:
        in proportion to their rows, equally, or so many rows of each, which then add up to
        the count.
    min_per_class : integer, 0 or more, default 1
        Rows that each class gives at least, as far as it has them.
    max_per_group : integer, 1 or more, default None
        Rows of a group that are selected at most.
    rank : true or false, default False
        Also find the order in which to take the rows, so that the first few of them,
        whatever their number, are as good as can be; it is compared with selections of 10,
        25 and 50 % of them, unless there are no random ones.
    scale : auto, none, standard, default auto
        Scaling of the columns.
    nonfinite : error, drop, default error
        What to do with rows that hold NaN or infinity; where they are dropped, a ratio is
        of the others.
    weights : none, nearest, default none
        Weight of each selected row, in tables and in the report; nearest: how many rows (of
        its class) have it as their nearest selected row.
    max_memory : number of bytes, 1 or more, default None
        Memory that the process may take, the mapped input aside. Blocks become smaller to
        keep to it, which selects other rows (the same ones at any number of threads), then
        fewer threads run; what cannot be done within it is refused.
    n_random : integer from 0 to 10000, default 20
        Random selections to compare with.
    watts_per_core : finite number above 0, default 10.0
        Power of a busy core in watts, for the estimate of energy where it cannot be
        measured.
    seed : integer from 0 to 18446744073709551615, default 0
        Seed of every random draw; the same seed gives the same rows at any number of
        threads.
    threads : integer from 1 to 1024, default None
        Threads; where not given, all that the process may use.
    method : fast, paper, random, k-center, k-means, herding, default fast
        fast: FAST's ideas as a search among the rows; paper: its graph, descent and
        assignment; the others are rivals to compare with.
    space : joint, features, spectral, default spectral
        Space in which the descent matches distributions.
    n_neighbors : integer, 2 or more, default 32
        Neighbours of a row in the graph.
    n_components : integer, 1 or more, default 32
        Spectral components.
    n_freqs : integer, 3 or more, default 2048
        Frequencies of the library.
    batch_size : integer, 1 or more, default 256
        Frequencies of a step of the descent.
    max_steps : integer, 0 or more, default 200
        Steps of the descent at most.
    learning_rate : finite number above 0, default 1.0
        Length of a step of the descent, over the root of the CF distance that is left.
    lambda_div : finite number, 0 or more, default 0.001
        Weight of the diversity term.
    lambda_match : finite number, 0 or more, default 0.1
        Weight of the match term.
    lambda_graph : finite number, 0 or more, default 0.01
        Weight of the graph term.
    lambda_phase : finite number, 0 or more, default 0.3
        Strength of the phase term.
    init : random, k-means++, k-means, default random
        Rows to start from.
    schedule : progressive, all, default progressive
        Order in which frequencies take part.
    base_radius : finite number above 0, default 0.7
        Coarsest radius of the exchange, in units of one over the median distance; each of
        the four is twice the one before.
    lambda_cover : finite number, 0 or more, default 1.0
        Weight of the mean distance to the nearest pick in the exchange.
    max_sweeps : integer, 0 or more, default 4
        Rounds of the exchange at most.
    block_rows : integer, 64 or more, default 16384
        Rows exchanged among each other at most; larger groups are cut.

    Attributes
    ----------
    sample_indices_ : (m,) row numbers of the selected rows, ascending
    sample_weight_ : (m,) how many rows each of them stands for; None unless ``weights="nearest"``
    selection_ : :class:`Selection`, with the report
    n_features_in_ : number of columns
    feature_names_in_ : (d,) their names, where all of them are text
    """

    use_labels: bool = True
    ratio: float | None = None
    count: int | None = None
    balance: Literal["proportional", "equal"] | Mapping[Any, int] = "proportional"
    min_per_class: int = 1
    max_per_group: int | None = None
    rank: bool = False
    scale: Literal["auto", "none", "standard"] = "auto"
    nonfinite: Literal["error", "drop"] = "error"
    weights: Literal["none", "nearest"] = "none"
    max_memory: int | None = None
    n_random: int = 20
    watts_per_core: float = 10.0
    seed: int = 0
    threads: int | None = None
    method: Literal["fast", "paper", "random", "k-center", "k-means", "herding"] = "fast"
    space: Literal["joint", "features", "spectral"] = "spectral"
    n_neighbors: int = 32
    n_components: int = 32
    n_freqs: int = 2048
    batch_size: int = 256
    max_steps: int = 200
    learning_rate: float = 1.0
    lambda_div: float = 0.001
    lambda_match: float = 0.1
    lambda_graph: float = 0.01
    lambda_phase: float = 0.3
    init: Literal["random", "k-means++", "k-means"] = "random"
    schedule: Literal["progressive", "all"] = "progressive"
    base_radius: float = 0.7
    lambda_cover: float = 1.0
    max_sweeps: int = 4
    block_rows: int = 16384

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        include: ArrayLike | None = None,
        exclude: ArrayLike | None = None,
    ) -> FastSelector:
        """Select rows of ``X``, whose classes are ``y``; the rest is as of :func:`select`."""
        x = _matrix(X)
        options = self.get_params()
        use_labels = options.pop("use_labels")
        if not isinstance(use_labels, (bool, np.bool_)):
            raise refused("use_labels", f"{use_labels!r} is neither true nor false")
        labels = None if y is None else _classes(y, x.shape[0])
        options["labels"] = labels if use_labels else None
        if self.count is None and not hasattr(self.balance, "items"):
            options |= _size(x.shape[0], options)
        if options["watts_per_core"] == FastSelector.watts_per_core:
            del options["watts_per_core"]  # the package's assumption, which has a range
        selection = select(x, groups=groups, include=include, exclude=exclude, **options)
        self.selection_: Selection = selection
        self.sample_indices_ = selection.indices
        self.sample_weight_ = selection.weights
        self.n_features_in_ = x.shape[1]
        names = _column_names(X)
        if names is not None and names.size == x.shape[1]:
            self.feature_names_in_ = names
        else:
            vars(self).pop("feature_names_in_", None)
        return self

    def fit_resample(self, X: Any, y: Any = None, **arrays: ArrayLike | None) -> tuple[Any, Any]:
        """The selected rows of ``X`` and ``y``, each of the kind that it is; see :meth:`fit`."""
        rows = self.fit(X, y, **arrays).sample_indices_
        return taken(X, rows), None if y is None else taken(y, rows)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by their names; `deep` is for estimators that hold others."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self, **params: Any) -> FastSelector:
        """Change parameters; they are checked when it is fitted."""
        known = self.get_params()
        for name in params:
            if name not in known:
                fix = f"There are {', '.join(known)}"
                raise refused(name, "is no parameter of FastSelector", fix)
        vars(self).update(params)
        return self

    def __repr__(self) -> str:
        values = [(field, repr(getattr(self, field.name))) for field in fields(self)]
        given = [f"{field.name}={value}" for field, value in values if value != repr(field.default)]
        return f"FastSelector({', '.join(given)})"

    def __sklearn_tags__(self) -> Tags:
        """What scikit-learn from 1.6 on asks of an estimator."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type="sampler",
            target_tags=TargetTags(required=False),
            input_tags=InputTags(allow_nan=self.nonfinite == "drop"),
        )


def taken(values: Any, rows: NDArray[np.int64]) -> Any:
    """Rows of a table, column, array or list, of the kind that it is."""
    if hasattr(values, "iloc"):  # pandas
        return values.iloc[rows]
    if is_arrow(values):
        return values.take(rows)
    if isinstance(values, (list, tuple)):
        return type(values)(values[row] for row in rows)
    # Of polars, torch, numpy; whatever else is made an array.
    indexed = hasattr(values, "__getitem__") and hasattr(values, "shape")
    return (values if indexed else np.asarray(values))[rows]


class _NotNumbersError(InvalidInputError, TypeError):
    """A cell that is no number; scikit-learn has such errors of type TypeError."""


def _matrix(X: ArrayLike) -> NDArray[Any]:
    """``X`` as a matrix; some faults are told in the words by which scikit-learn knows them."""
    shape = tuple(getattr(X, "shape", ()))
    if len(shape) == 2 and shape[1] == 0:
        fact = f"has 0 feature(s) (shape={shape}) while a minimum of 1 is required"
        raise refused("x", fact, "Pass a matrix with columns")
    if getattr(getattr(X, "dtype", None), "kind", "") == "c":
        fix = "Pass real and imaginary parts as columns"
        raise refused("x", "Complex data not supported", fix)
    try:
        return matrix(X)
    except InvalidInputError as err:
        if isinstance(X, np.ndarray) and X.dtype.kind == "O":
            try:
                X.astype(float)
            except TypeError as reason:
                fact = f"{err.fact} ({reason})"
                raise _NotNumbersError(err.what, fact, err.fix, is_parameter=True) from err
            except ValueError:
                pass
        raise


def _classes(y: ArrayLike, n: int) -> Labels | None:
    """The classes of n rows; None for targets that are none: several columns, or fractions."""
    refuse = partial(refused, "y")
    shape = as_array(y, refuse, boxed=True).shape
    if len(shape) == 2 and shape[1] > 1:
        check_rows(shape[:1], n, refuse)
        return None
    labels = labels_of(y, refuse, n)
    classes = labels.classes
    return None if classes.dtype.kind == "f" and (classes != np.floor(classes)).any() else labels


def _size(n: int, options: Mapping[str, Any]) -> dict[str, Any]:
    """The ratio, or where that is less than the classes of n rows must give, their count."""
    ratio = RATIO if options["ratio"] is None else options["ratio"]
    asked = checked("select", {"ratio": ratio, "min_per_class": options["min_per_class"]})
    labels: Labels | None = options["labels"]
    if labels is None:
        return {"ratio": ratio}
    sizes = np.bincount(labels.codes)
    least = int(np.minimum(sizes, options["min_per_class"]).sum())
    return {"ratio": ratio} if asked.rows_wanted(n) >= least else {"ratio": None, "count": least}


def _column_names(X: Any) -> NDArray[Any] | None:
    """The names of a table's columns, (d,); None where it has none, or some are not text."""
    names = getattr(X, "column_names", getattr(X, "columns", None))
    if names is None or not all(isinstance(name, str) for name in names):
        return None
    return np.array(list(names), dtype=object)
