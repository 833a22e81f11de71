"""Tables of releases are typed, and what a server does not say is missing."""

from icdframes.frames.pandas_compat import schema_dtype
from icdframes.frames.results import ENTITY_RELEASES, RELEASES, entity_releases_table, releases_table
from icdframes.frames.schema import as_lists
from icdframes.model.entity import ReleaseList, TopLevel


def dtypes_of(columns):
    return {column.name: column.dtype for column in columns}


def test_a_release_has_a_row_with_its_languages_and_the_number_of_its_chapters():
    top = TopLevel("uri", "mms", "2024-01", "MMS", "2024-01-21", languages=("en", "es"), child_ids=("1", "2"))
    table = releases_table([top], server="http://127.0.0.1")
    assert list(table) == list(dtypes_of(RELEASES))
    row = table.iloc[0]
    assert (row["release"], row["languages"], row["n_top_entities"]) == ("2024-01", "en es", 2)
    assert table["prerelease_languages"].isna().all()
    assert table.attrs["server"] == "http://127.0.0.1"


def test_no_release_at_all_keeps_the_columns_and_their_dtypes():
    for columns, table in (
        (RELEASES, releases_table([], server="x")),
        (ENTITY_RELEASES, entity_releases_table("mms", "1", ReleaseList("uri", None, None), [])),
    ):
        assert {name: schema_dtype(column) for name, column in table.items()} == dtypes_of(columns)


def test_the_newest_release_that_has_an_entity_is_marked():
    known = ReleaseList("uri", "Cholera", "2025-01", ("2025-01", "2024-01"))
    table = as_lists(entity_releases_table("mms", "257068234", known, ["a", "b"]))
    assert (table["release"], table["latest"], table["uri"]) == (["2025-01", "2024-01"], [True, False], ["a", "b"])
