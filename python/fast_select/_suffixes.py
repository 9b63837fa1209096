"""Names of files by what they hold; without numpy, so that help and completions come at once."""

MATRIX_SUFFIXES = (".npy", ".npz")
PARQUET_SUFFIXES = (".parquet",)
ARROW_SUFFIXES = (".arrow", ".feather", ".ipc")
CSV_SUFFIXES = (".csv", ".tsv")
LIST_SUFFIXES = (".npy", ".npz", ".txt", *CSV_SUFFIXES, *PARQUET_SUFFIXES, *ARROW_SUFFIXES)

FAMILIES = {
    "matrices": MATRIX_SUFFIXES,
    "Parquet": PARQUET_SUFFIXES,
    "Arrow": ARROW_SUFFIXES,
    "CSV": CSV_SUFFIXES,
}
"""Files that may be parts of one input, by suffix."""

FEATURE_SUFFIXES = tuple(suffix for family in FAMILIES.values() for suffix in family)
TABLE_SUFFIXES = FEATURE_SUFFIXES[len(MATRIX_SUFFIXES) :]
