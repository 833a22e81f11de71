"""Write tables under one pandas and read them under another: ``cross_read.py write FOLDER``, ``… read FOLDER…``.

What is read is compared with the same tables made anew; the values are those in which codes are lost elsewhere.
Parquet takes part where pyarrow is installed.
"""

import sys
from pathlib import Path

import pandas as pd

import icdframes
from icdframes.frames.files import has_pyarrow
from icdframes.frames.pandas_compat import schema_dtype, text_array
from icdframes.frames.schema import apply_schema, columns_of

TEXTS = ["1E10", "NA", "007", None, "None", "nan", "1E400", "é\x00x", "a\nb", '"', "-", "0.10", "TRUE", "∅"]


def frames():
    """Return frames by name: every schema's dtypes, also empty, and what a user's frame may hold beside them."""
    n = len(TEXTS)
    values = {
        "str": TEXTS, "int64": list(range(n)), "Int64": [None, *range(1, n)], "bool": [True, False] * (n // 2),
        "boolean": [None, *([True] * (n - 1))], "Float64": [None, *([0.1] * (n - 1))],
    }  # fmt: skip
    for name in ("entities", "edges", "terms", "references", "axes"):
        dtypes = columns_of(name)
        yield name, apply_schema(name, {column: values[dtype] for column, dtype in dtypes.items()})
        yield f"{name}_empty", apply_schema(name, {column: [] for column in dtypes})
    yield (
        "own",
        pd.DataFrame(
            {
                "code": text_array(TEXTS),
                "all_missing": text_array([None] * n),
                "empty_text": text_array(["", None] * (n // 2)),
                "kind": pd.Categorical(["a", None] * (n // 2), categories=["a"]),
                "share": pd.array(values["Float64"], dtype="Float64"),
                "n": pd.array(values["Int64"], dtype="Int64"),
                "known": pd.array(values["boolean"], dtype="boolean"),
                "day": pd.Series(pd.to_datetime(["2024-01-31", None] * (n // 2))).astype("datetime64[us]"),
            }
        ),
    )


def suffixes():
    """Return the kinds of files that can be written here."""
    return (".csv", ".parquet") if has_pyarrow() else (".csv",)


def write(folder):
    """Write all frames, with provenance, and a folder of each kind."""
    for name, frame in frames():
        frame.attrs["provenance"] = {"release": "2024-01", "language": None}
        for suffix in suffixes():
            store = icdframes.to_csv if suffix == ".csv" else icdframes.to_parquet
            store(frame, folder / f"{name}{suffix}")


def read(folder):
    """Return how many files were read back equal; a difference raises."""
    n_equal = 0
    for name, frame in frames():
        for suffix in suffixes():
            file = folder / f"{name}{suffix}"
            if not file.exists():  # what wrote had no pyarrow
                continue
            again = icdframes.read_frame(file)
            assert again.attrs["provenance"] == {"release": "2024-01", "language": None}, file
            assert {key: schema_dtype(column) for key, column in again.items()} == {
                key: schema_dtype(column) for key, column in frame.items()
            }, file
            again.attrs = {}
            pd.testing.assert_frame_equal(again, frame)
            n_equal += 1
    return n_equal


if __name__ == "__main__":
    command, *folders = sys.argv[1:]
    for place in map(Path, folders):
        if command == "write":
            place.mkdir(parents=True)
            write(place)
        else:
            print(f"{read(place)} files of {place.name} are equal under pandas {pd.__version__}")
