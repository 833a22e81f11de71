"""Somebody's analysis: sleep disorders by block and sex. Nothing in it knows that it is being tested."""

import icdframes


def disorders_by_block(path, *, release):
    """Count the visits in a CSV file that has the columns dx and sex."""
    tables = icdframes.load_tables("07", release=release)
    visits = icdframes.read_frame(path)
    return icdframes.rollup(visits, tables, code="dx", level="block", by=["sex"], zeros=False)
