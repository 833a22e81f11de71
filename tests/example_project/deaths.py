"""Somebody's analysis: deaths by ICD-11 chapter and sex. Nothing in it knows that it is being tested."""

import icdframes


def deaths_by_chapter(path, *, release):
    """Count the deaths in a CSV file that has the columns cause and sex."""
    tables = icdframes.load_tables(release=release)
    deaths = icdframes.read_frame(path)
    return icdframes.rollup(deaths, tables, code="cause", by=["sex"], zeros=False)
