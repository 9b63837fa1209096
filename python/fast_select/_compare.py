"""Selection methods side by side, judged by models that are trained on what they pick."""

from __future__ import annotations

import itertools
import time
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._checks import as_rows, check_finite, checked
from ._compared import METHODS, MODELS, N_SEEDS, TEST_SHARE
from ._errors import InvalidInputError, core_errors, refused
from ._labels import encode_labels, labels_of
from ._run import Progress
from ._stacked import Matrix
from ._text import counted
from .report import SCHEMA

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._parameters import CompareParameters

Picker = Callable[[_core.Prepared, int, "NDArray[np.int64] | None", int], NDArray[np.int64]]
"""From (prepared rows, count, labels, seed) to indices."""


FARTHEST = 1e15
"""Deviations within which test features are kept: their squares are finite in float32."""


def compare(
    X: ArrayLike,
    labels: ArrayLike,
    *,
    ratios: Sequence[float],
    test: tuple[ArrayLike, ArrayLike] | None = None,
    test_share: float = TEST_SHARE,
    methods: Sequence[str] | None = None,
    models: Sequence[str] = tuple(MODELS),
    extra_methods: Mapping[str, Picker] | None = None,
    use_labels: bool = True,
    seeds: Sequence[int] = tuple(range(N_SEEDS)),
    progress: Progress | None = None,
    **parameters: Unpack[CompareParameters],
) -> dict[str, Any]:
    """Run selection methods at each of ``ratios`` and train models on what they pick.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(400) % 4
    >>> x = rng.normal(size=(400, 3)) + 9 * np.eye(4, 3)[y]
    >>> methods = ["fast", "random"]
    >>> table = compare(x, y, ratios=[0.1], methods=methods, models=["1nn"], seeds=[0])
    >>> [(row["method"], row["mean_accuracy"]) for row in table["summary"]]
    [('fast', 100.0), ('random', 100.0)]

    Parameters
    ----------
    X, labels : (n, d) features and (n,) classes
    test : features and classes to measure accuracy on; default: ``test_share`` of the rows, drawn
        at random, which no method then sees
    methods : of :data:`METHODS`; default: all
    models : of :data:`MODELS`: 1-NN, logistic regression, RBF-SVM, random forest
    extra_methods : methods of your own by name
    use_labels : whether methods select class by class; else only the models see labels, and
        ``stratified``, which needs them, is none of the methods
    seeds : one selection and one training for each
    progress : called as ``progress("compare", done, total)``
    scale : auto, none, standard, default auto
        Scaling of the columns.
    seed : integer from 0 to 18446744073709551615, default 0
        Seed of every random draw; the same seed gives the same rows at any number of
        threads.
    threads : integer from 1 to 1024, default None
        Threads; where not given, all that the process may use.

    Returns
    -------
    ``runs``: one entry for each method, ratio and seed with ``accuracy`` by model (in %), ``cfd_m``
    (m times the CF distance on unseen frequencies), ``cell_cfd_m`` (the same inside cells of about
    two picks) and ``select_s`` (seconds). ``summary``: their means and the standard error of the
    mean accuracy over seeds, by method and ratio. ``notes``: what did not go as it should.

    Raises
    ------
    InvalidInputError
        For input that cannot be used, or where scikit-learn is missing.
    """
    ratios, seeds = list(ratios), list(seeds)
    if not ratios or not seeds:
        raise refused("ratios and seeds", "are empty", "Give at least one of each")
    check_different("ratios", ratios)
    check_different("seeds", seeds)
    seeds = [checked("compare", {"seed": seed}).values()["seed"] for seed in seeds]
    if methods is None:
        methods = [name for name in METHODS if use_labels or name != "stratified"]
    elif "stratified" in methods and not use_labels:
        raise refused("methods", "name stratified, which needs labels", "Leave it out")
    check_names("methods", methods, METHODS)
    check_names("models", models, MODELS)
    for name in models:
        estimator(name, 0, 1)
    x: Matrix = as_rows(X)
    check_finite("x", x)  # before the split, which gives rows other numbers
    params = checked("compare", parameters)
    n_threads = params.values()["threads"]
    codes, classes = encode_labels(labels, x.shape[0])
    if codes is None or classes is None:
        raise refused("labels", "are missing", "Models need classes to learn")
    x_test: Matrix
    if test is None:
        train, held_out = split(x.shape[0], test_share, seeds[0])
        x_test, y_test, x, codes = x[held_out], codes[held_out], x[train], codes[train]
    else:
        x_test, y_test = known_test(test, x.shape[1], classes)
    pickers = {name: own_method(name, use_labels, n_threads) for name in methods}
    pickers |= extra_methods or {}
    if not pickers:
        raise refused("methods", "are none", "Name one or more")
    with core_errors():
        asked = [checked("select", {"ratio": ratio}) for ratio in ratios]
        counts = [size.rows_wanted(x.shape[0]) for size in asked]
    runs: list[dict[str, Any]] = []
    with core_errors():
        prepared = _core.prepare(x, params)
        features = scaled(x, x_test, standard=prepared.facts["scale"] == "standard")
        judge = Judge(prepared, params, models, features, (codes, y_test), use_labels)
        sizes = list(zip(ratios, counts, strict=True))
        trials = list(itertools.product(sizes, pickers.items(), seeds))
        for (ratio, count), (name, pick), seed in trials:
            if progress is not None:
                progress("compare", len(runs), len(trials))
            run = {"method": name, "ratio": ratio, "seed": seed}
            runs.append(run | judge.figures(pick, count, seed))
    return {
        "schema": SCHEMA,
        "tool": {"name": "fast-select", **_core.info()},
        "input": {"shape": list(x.shape), "test_rows": len(x_test), "classes": int(classes.size)},
        "use_labels": use_labels,
        "models": list(models),
        "runs": runs,
        "summary": summarised(runs),
        "notes": judge.notes(),
    }


@dataclass(frozen=True)
class Judge:
    """Rows to select from, and models to train on what was selected."""

    prepared: _core.Prepared
    params: _core.Params
    models: Sequence[str]
    features: tuple[NDArray[np.float32], NDArray[np.float32]]
    """Scaled features to train and to test on."""
    labels: tuple[NDArray[np.int64], NDArray[np.int64]]
    """Their classes."""
    use_labels: bool
    """Whether methods see them."""
    unconverged: Counter[str] = field(default_factory=Counter)
    """How many trainings of each model stopped before they were done."""

    def notes(self) -> list[str]:
        """What did not go as it should."""
        return [
            f"{MODELS[model]}: {counted(count, 'training')} stopped before it converged."
            for model, count in self.unconverged.items()
        ]

    def figures(self, pick: Picker, count: int, seed: int) -> dict[str, Any]:
        """What came of one selection."""
        begun = time.perf_counter()
        rows = pick(self.prepared, count, self.labels[0] if self.use_labels else None, seed)
        seconds = time.perf_counter() - begun
        quality = _core.evaluate(self.prepared, rows, self.params, n_random=0)
        n_threads = self.params.values()["threads"]
        return {
            "count": int(rows.size),
            "accuracy": accuracies(
                self.models,
                self.features,
                self.labels,
                rows,
                seed,
                n_threads,
                self.unconverged,
            ),
            "cfd_m": quality["selection"]["cfd_m"],
            "cell_cfd_m": quality["selection"]["cell_cfd_m"],
            "select_s": seconds,
        }


def check_names(
    parameter: str, given: Sequence[str], known: Sequence[str] | Mapping[str, str]
) -> None:
    """Refuse an unknown name, and one that is given twice."""
    check_different(parameter, given)
    for name in given:
        if name not in known:
            fact = f"has no '{name}', only {', '.join(known)}"
            raise refused(parameter, fact)


def check_different(parameter: str, given: Sequence[Any]) -> None:
    """Refuse what is given twice."""
    twice = [value for at, value in enumerate(given) if value in given[:at]]
    if twice:
        raise refused(parameter, f"{twice[0]} is given twice", "Give it once")


def own_method(name: str, use_labels: bool, n_threads: int) -> Picker:
    """A method of the package."""
    by_class = use_labels and name != "random"
    method = "random" if name == "stratified" else name

    def pick(
        prepared: _core.Prepared, count: int, labels: NDArray[np.int64] | None, seed: int
    ) -> NDArray[np.int64]:
        params = checked("select", {"method": method, "seed": seed, "threads": n_threads})
        selected = _core.select(prepared, count, params, labels=labels if by_class else None)
        indices: NDArray[np.int64] = selected["indices"]
        return indices

    return pick


def split(n: int, share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to select from and rows to test on."""
    if not 0 < share < 1:
        raise refused("test_share", f"{share} is not between 0 and 1")
    if n < 2:
        raise refused("x", "has 1 row, which cannot be both selected from and tested on")
    order = np.random.default_rng(seed).permutation(n)
    at = min(max(1, round(n * share)), n - 1)
    return np.sort(order[at:]), np.sort(order[:at])


def known_test(
    test: tuple[ArrayLike, ArrayLike], n_columns: int, classes: NDArray[Any]
) -> tuple[Matrix, NDArray[np.int64]]:
    """Test features and codes; rows of classes that training does not know get the code -1."""
    x = as_rows(test[0], "test")
    check_finite("test", x)
    if x.shape[1] != n_columns:
        fact = f"has {counted(x.shape[1], 'column')}, not {n_columns} as the rows to select from"
        raise refused("test", fact)
    y = labels_of(test[1], partial(refused, "test_labels"), x.shape[0])
    places = {label: code for code, label in enumerate(classes.tolist())}
    if isinstance(y.classes[0], str) != isinstance(classes[0], str):
        fact = "are text where the labels are numbers, or the other way round"
        raise refused("test_labels", fact, "Write both as text or both as numbers")
    found = np.array([places.get(label, -1) for label in y.classes.tolist()])[y.codes]
    if (found < 0).all():
        raise refused("test_labels", "have no class in common with the labels")
    return x, found


def scaled(
    x: Matrix, x_test: Matrix, *, standard: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both centred and divided by the columns' standard deviations, or by one for all."""
    wide = np.asarray(x, np.float64)
    size = np.abs(wide).max(axis=0)
    # Squares of numbers near the ends of the range are none: a power of two brings them to about 1.
    exponent = np.frexp(size if standard else size.max())[1]
    trained = np.ldexp(wide, -exponent)
    center, deviation = trained.mean(axis=0), trained.std(axis=0)
    if standard:
        deviation[deviation == 0] = 1
    else:
        deviation = np.full_like(deviation, np.sqrt(np.mean(deviation**2)) or 1)
    with np.errstate(over="ignore"):  # test rows may lie far outside, but not farther than this
        tested = (np.ldexp(np.asarray(x_test, np.float64), -exponent) - center) / deviation
    tested = tested.clip(-FARTHEST, FARTHEST)
    return ((trained - center) / deviation).astype(np.float32), tested.astype(np.float32)


def accuracies(
    models: Sequence[str],
    features: tuple[NDArray[np.float32], NDArray[np.float32]],
    labels: tuple[NDArray[np.int64], NDArray[np.int64]],
    rows: NDArray[np.int64],
    seed: int,
    n_threads: int,
    unconverged: Counter[str] | None = None,
) -> dict[str, float]:
    """Test accuracy in % of each model, trained on `rows`; `unconverged` counts, if given."""
    (x, x_test), (y, y_test) = features, labels
    result = {}
    for name in models:
        if np.unique(y[rows]).size == 1:  # Some models refuse to learn a single class.
            result[name] = 100 * float(np.mean(y_test == y[rows][0]))
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = estimator(name, seed, n_threads).fit(x[rows], y[rows])
        if unconverged is not None and any("converge" in str(w.message) for w in caught):
            unconverged[name] += 1
        result[name] = 100 * float(np.mean(model.predict(x_test) == y_test))
    return result


def estimator(name: str, seed: int, n_threads: int) -> Any:
    """A scikit-learn classifier with fixed parameters: methods are compared, not tuning."""
    try:
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.linear_model import LogisticRegression
        from sklearn.neighbors import KNeighborsClassifier
        from sklearn.svm import SVC
    except ImportError as err:
        fix = "Install it: pip install scikit-learn"
        raise InvalidInputError("scikit-learn", "is missing", fix) from err
    if name == "1nn":
        return KNeighborsClassifier(1)
    if name == "logreg":
        return LogisticRegression(max_iter=200)
    if name == "svm":
        return SVC(C=10)
    # scikit-learn takes no larger seeds.
    return RandomForestClassifier(100, random_state=seed % 2**32, n_jobs=n_threads)


def summarised(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over seeds by ratio and method, in the order of the runs."""
    groups: dict[tuple[float, str], list[dict[str, Any]]] = {}
    for run in runs:
        groups.setdefault((run["ratio"], run["method"]), []).append(run)
    summary = []
    for (ratio, method), group in groups.items():
        means = np.array([np.mean(list(run["accuracy"].values())) for run in group])
        spread = means.std(ddof=1) / np.sqrt(means.size) if means.size > 1 else None
        summary.append(
            {
                "ratio": ratio,
                "method": method,
                "accuracy": {
                    model: float(np.mean([run["accuracy"][model] for run in group]))
                    for model in group[0]["accuracy"]
                },
                "mean_accuracy": float(means.mean()),
                "standard_error": None if spread is None else float(spread),
                "cfd_m": float(np.mean([run["cfd_m"] for run in group])),
                "cell_cfd_m": float(np.mean([run["cell_cfd_m"] for run in group])),
                "select_s": float(np.mean([run["select_s"] for run in group])),
            }
        )
    return summary
