"""Tables on disk, for tests of what is read of them."""

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from fast_select import InvalidInputError
from fast_select.cli._inputs import read_arrays, read_matrix
from fast_select.io import read_features

N = 400
FORMATS = ("parquet", "file.arrow", "stream.arrow", "feather", "csv")


def flat_table(x):
    """Numbers in columns, beside what is none."""
    return pa.table(
        {
            "id": [f"a{i}" for i in range(N)],
            **{f"emb_{j}": x[:, j] for j in range(4)},
            "label": np.arange(N) % 3,
            "note": ['some, "text"'] * N,
        }
    )


def save(table, path, rows=70):
    """Write a table by the name of its file, in batches of a few rows."""
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=rows)
    elif path.suffix == ".csv":
        pa.csv.write_csv(table, path)
    else:
        new = pa.ipc.new_stream if "stream" in path.name else pa.ipc.new_file
        options = pa.ipc.IpcWriteOptions(compression="lz4" if "feather" in path.name else None)
        with new(str(path), table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=rows)
    return path


def read(*inputs, key=None, flatten=False, **options):
    return read_features([str(i) for i in inputs], key=key, flatten=flatten, **options)


def refusal(*inputs, **options):
    """The line that a refused table ends with."""
    with pytest.raises(InvalidInputError) as caught:
        read(*inputs, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def with_labels(path, **words):
    named = {"inputs": [str(path)], **words}
    features = read_matrix(named)
    return features, read_arrays(named, features)["labels"]
