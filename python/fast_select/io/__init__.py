"""Matrices, labels and row numbers from files and pipes, or a reason why not.

`sources` opens what a path means and tells its format; `npy` and `npz` read arrays, their headers
checked first; `text` reads lines and CSV, which
`csv_text` writes, `json_text` JSON. Tables are a `dataset` of parts, each
`parquet`, `ipc` or `delimited`; `choice` is of their columns. Of these `features`, `labels`, `rows`
and `counts` make what a command needs.
"""

from .._suffixes import (
    ARROW_SUFFIXES,
    CSV_SUFFIXES,
    LIST_SUFFIXES,
    MATRIX_SUFFIXES,
    PARQUET_SUFFIXES,
    TABLE_SUFFIXES,
)
from .counts import read_counts
from .features import Features, is_shard, natural_order, read_features, read_table
from .json_text import read_json
from .labels import labels_of_archive, read_labels
from .npy import write_rows
from .rows import read_indices
from .tables import check_pyarrow

__all__ = [
    "ARROW_SUFFIXES",
    "CSV_SUFFIXES",
    "LIST_SUFFIXES",
    "MATRIX_SUFFIXES",
    "PARQUET_SUFFIXES",
    "TABLE_SUFFIXES",
    "Features",
    "check_pyarrow",
    "is_shard",
    "labels_of_archive",
    "natural_order",
    "read_counts",
    "read_features",
    "read_indices",
    "read_json",
    "read_labels",
    "read_table",
    "write_rows",
]
