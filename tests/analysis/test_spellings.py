"""One spelling means one thing: a table of spellings through every verb that takes codes, on every library."""

import csv
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from icdframes.analysis.annotate import annotate, match_report
from icdframes.analysis.backends import collect, quick_frame
from icdframes.analysis.codelist import CodeList
from icdframes.analysis.compare import affected_codes
from icdframes.analysis.flag import flag
from icdframes.analysis.grouping import Grouping
from icdframes.analysis.mapping import map_codes
from icdframes.analysis.matching import ENTITY, FOUND, KIND, KINDS, Lookup, locate, resolve_rows
from icdframes.analysis.relations import depth_of, is_below, path_to_root
from icdframes.analysis.rollup import rollup
from icdframes.client.references import read_reference
from icdframes.errors import CodeSyntaxError, EntityNotFoundError
from icdframes.frames.code_mapping import COLUMNS, CodeMapping, Edition
from icdframes.frames.pandas_compat import as_text
from icdframes.model.codes import normalize_code, parse_code, split_codes

SYSTEMS = ("icd10", "mms", "icf")
COLUMN_NAMES = ["entity_id", "code", "title", "class_kind", "depth", "parent_id", "chapter", "block_id"]


def _read():
    with Path(__file__).with_name("spellings.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


SPELLINGS = _read()


def _icd10():
    rows = [("A00-A09", "A00-A09", "block", "I", "I", None)]
    rows += [(code, code, "chapter", None, code, None) for code in ("I", "VI", "IX", "XVIII", "XIX", "XX")]
    rows += [("A00", "A00", "category", "A00-A09", "I", None), ("A00.1", "A00.1", "category", "A00", "I", None)]
    rows += [("A01", "A01", "category", "A00-A09", "I", None)]
    for code, chapter in (("A17", "I"), ("A39", "I"), ("G01", "VI"), ("I10", "IX"), ("I64", "IX"), ("R99", "XVIII"),
                          ("S72", "XIX"), ("W19", "XX")):  # fmt: skip
        rows.append((code, code, "category", chapter, chapter, None))
    rows += [(code, code, "category", code[:3], chapter, None) for code, chapter in
             (("A17.0", "I"), ("A39.0", "I"), ("S72.0", "XIX"))]  # fmt: skip
    return rows


def _mms(mms):
    names = ["entity_id", "code", "class_kind", "parent_id", "chapter", "block_id"]
    rows = [tuple(None if pd.isna(cell) else cell for cell in row) for row in mms.entities[names].to_numpy()]
    chapters = {"BA41": "11", "3B11": "03", "5A11": "05", "8A20": "08", "6D80": "06", "NE60": "22", "2C80": "02"}
    rows += [
        (f"c{number}", number, "chapter", None, number, None) for number in sorted(set(chapters.values()) - {"02"})
    ]
    parents = {number: f"c{number}" for number in chapters.values()} | {"02": "1630407678"}
    rows += [(code, code, "category", parents[chapter], chapter, None) for code, chapter in chapters.items()]
    rows += [("BA41/unspecified", "BA41.Z", "category", "BA41", "11", None),
             ("3B11/unspecified", "3B11.Z", "category", "3B11", "03", None),
             ("6D80.0", "6D80.0", "category", "6D80", "06", None)]  # fmt: skip
    return rows


def _icf():
    rows = [("top", None, "chapter", None, None, None)]
    for letter, chapters in (("b", "1"), ("d", "45"), ("e", "3"), ("s", "7")):
        rows.append((f"id:{letter}", None, "block", "top", letter, f"BlockL1-{letter}11"))
        rows += [
            (f"id:{letter}{n}", None, "block", f"id:{letter}", f"{letter}{n}", f"BlockL2-{letter}{n}1")
            for n in chapters
        ]
    rows.append(("id:b11", None, "block", "id:b1", "b1", "BlockL3-b11"))
    for code, parent in (("b110", "id:b11"), ("b1102", "b110"), ("d450", "id:d4"), ("d540", "id:d5"), ("d5409", "d540"),
                         ("e310", "id:e3"), ("s730", "id:s7")):  # fmt: skip
        rows.append((code, code, "category", parent, code[:2], None))
    return rows


@pytest.fixture(scope="module")
def all_tables(mms):
    """Return a small classification of each system, with every code that the table of spellings expects."""
    made = {}
    for system, rows in (("icd10", _icd10()), ("mms", _mms(mms)), ("icf", _icf())):
        frame = pd.DataFrame(rows, columns=["entity_id", "code", "class_kind", "parent_id", "chapter", "block_id"])
        entities = frame.assign(title=frame["entity_id"]).apply(as_text).assign(depth=0)[COLUMN_NAMES]
        edges = entities[["parent_id", "entity_id"]].set_axis(["parent_id", "child_id"], axis=1).dropna()
        made[system] = SimpleNamespace(entities=entities, edges=edges)
    return made


@pytest.fixture(scope="module")
def expected(all_tables):
    """Return for each system its spellings with the id, the chapter and the kind of match that are right."""
    made = {}
    for system in SYSTEMS:
        entities = all_tables[system].entities
        ids = dict(zip(entities["code"], entities["entity_id"], strict=True))
        chapters = dict(zip(entities["entity_id"], entities["chapter"], strict=True))
        rows = [row for row in SPELLINGS if row["classification"] == system]
        frame = pd.DataFrame(rows).drop(columns="classification")
        keys = [entity[1:] if entity[:1] == "#" else ids[entity] if entity else None for entity in frame["entity"]]
        frame["id"] = pd.Series(keys, dtype=object)
        frame["chapter"] = pd.Series([chapters[key] if key else None for key in keys], dtype=object)
        made[system] = frame
    return made


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_way_for_all_rows_of_spark_reads_each_text_as_the_others_do(system, all_tables, expected):
    codes = [code for code in all_tables[system].entities["code"] if isinstance(code, str)]
    made = [change(code) for code in codes for change in (str.lower, " {}".format, "{}\t".format, "{}.".format,
            ".{}".format, "{0[0]}.{0}".format, "{}X".format, "{0}{0}".format, "{}-".format)]  # fmt: skip
    texts = list(dict.fromkeys([*expected[system]["text"], *codes, *made, *(text.replace(".", "") for text in made)]))
    lookup = Lookup.of(all_tables[system])
    frame, ship = quick_frame(pd.DataFrame({"code": texts, "row": range(len(texts))}))
    found = collect(resolve_rows(frame, "code", lookup, ship).sort("row"))
    pd.testing.assert_frame_equal(found[[ENTITY, KIND]], lookup.match(texts), check_dtype=False)


def _mapping(tables):
    coded = tables.entities
    frame = pd.DataFrame({name: pd.Series([None] * len(coded), dtype=dtype) for name, dtype in COLUMNS.items()
                          if name != "position"})  # fmt: skip
    frame = frame.assign(
        source_code=coded["code"], source_id=coded["entity_id"], source_kind=coded["class_kind"], position=1,
        target_id="to:" + coded["entity_id"], target_code=coded["code"], relation="equivalent",
    )  # fmt: skip
    return CodeMapping(frame, Edition("icd10"), Edition("mms"), None, {}, "")


def _plain(frame, column):
    values = frame.sort_values("row")[column].astype(object)
    return [None if pd.isna(value) else value for value in values]


def test_the_table_has_every_kind_and_no_spelling_twice():
    assert len({(row["classification"], row["text"]) for row in SPELLINGS}) == len(SPELLINGS) > 200
    for system in SYSTEMS:
        kinds = {row["match"] for row in SPELLINGS if row["classification"] == system}
        assert kinds == set(KINDS) - ({"residual"} if system != "mms" else set())


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_every_library_reads_every_spelling_alike(library, all_tables, expected, system):
    tables, right = all_tables[system], expected[system]
    frame = pd.DataFrame({"row": range(len(right)), "code": pd.array(right["text"], dtype="str")})
    data = library.make(frame)
    read = library.to_pandas(annotate(data, tables, add=["entity_id", "ancestor:" + right["id"].dropna().iloc[0]]))
    assert _plain(read, "match") == right["match"].tolist()
    assert _plain(read, "entity_id") == right["id"].tolist()
    mapped = library.to_pandas(map_codes(data, _mapping(tables)))
    in_mapping = right[~right["entity"].str.startswith("#")]  # WHO's mapping tables hold no ids of blocks
    found = mapped.set_index("row").loc[in_mapping.index].reset_index(names="row")
    assert _plain(found, "mapped_match") == in_mapping["match"].tolist()
    assert _plain(found, "mapped_id") == [f"to:{key}" if key else None for key in in_mapping["id"]]
    wider = {"stem": "broader", "truncated": "broader"} | dict.fromkeys(("several", "unknown", "missing"), "unmapped")
    assert _plain(found, "relation") == [wider.get(kind, "equivalent") for kind in in_mapping["match"]]
    counts = rollup(data, tables, by="row", level="level:0")
    tops = {row: path_to_root(tables, key)["entity_id"].iloc[0] for row, key in enumerate(right["id"]) if key}
    names = dict(
        zip(tables.entities["entity_id"], tables.entities["code"].fillna(tables.entities["entity_id"]), strict=True)
    )
    assert counts["n"].tolist() == [1] * len(right)
    assert _plain(counts, "group") == [
        names[tops[row]] if row in tops else kind for row, kind in enumerate(right["match"])
    ]
    report = match_report(data, tables).set_index("match")["n_rows"]
    assert report.to_dict() == {kind: int(right["match"].eq(kind).sum()) for kind in KINDS}


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("members", ["stems", "any"])
def test_every_library_lets_every_member_of_a_cluster_count(library, all_tables, expected, system, members):
    tables, right = all_tables[system], expected[system]
    frame = pd.DataFrame({"row": range(len(right)), "code": pd.array(right["text"], dtype="str")})
    groups = {"icd10": {"I10": "x"}, "mms": {"5A11": "x", "XH74S1": "y"}, "icf": {"b110": "x"}}[system]
    ancestor = f"ancestor:{next(iter(groups))}"
    options = {"add": [Grouping(groups), ancestor], "members": members}
    read = library.to_pandas(annotate(library.make(frame), tables, **options))
    by_pandas = annotate(frame, tables, **options)
    for column in ("group", ancestor, "match"):
        assert _plain(read, column) == _plain(by_pandas, column)
    below = is_below(tables, frame["code"], next(iter(groups)), members=members)
    assert [None if pd.isna(value) else value for value in below] == _plain(read, ancestor)
    if system == "mms":
        counted = dict(zip(right["text"], _plain(read, "group"), strict=True))
        assert counted["2C25.2&XH74S1/5A11"] == ("y" if members == "any" else "x")
        assert counted["BA41.Z/5A11"] == "x"
        assert counted["BA41.Z 5A11"] is None
    counts = rollup(library.make(frame), tables, level=Grouping(groups), members=members, totals=True)
    assert counts.loc[counts["group"].eq("total"), "n"].tolist() == [len(frame)]


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_verbs_of_one_entity_read_every_spelling_alike(all_tables, expected, system, monkeypatch):
    tables, right = all_tables[system], expected[system]
    known_spellings = Lookup.of(tables)
    monkeypatch.setattr(Lookup, "of", lambda _tables: known_spellings)  # it is the same for 340 questions
    places = {key: row for row, key in enumerate(tables.entities["entity_id"])}
    named = right["match"].isin(["exact", "dotless"])
    for text, entity in zip(right.loc[named, "text"], right.loc[named, "id"], strict=True):
        assert locate(tables.entities, text) == places[entity], text
    for text in right.loc[~named & right["match"].ne("missing"), "text"]:
        with pytest.raises(EntityNotFoundError):
            locate(tables.entities, text)
    wanted = [text for text in right.loc[named, "text"] if len(split_codes(text)) == 1]
    grouped = annotate(tables.entities[["entity_id"]], tables, code="entity_id", add=[dict.fromkeys(wanted, "mine")])
    ids = tables.entities["entity_id"]
    inside = [is_below(tables, ids, entity) for entity in set(right.loc[named, "id"])]
    assert grouped["group"].notna().tolist() == pd.concat(inside, axis=1).any(axis=1).tolist()
    known = right[right["match"].isin(FOUND)]
    assert depth_of(tables, known["text"]).tolist() == depth_of(tables, known["id"]).tolist()
    assert path_to_root(tables, known["text"].iloc[0])["entity_id"].iloc[-1] == known["id"].iloc[0]
    for entity, texts in known.groupby("id")["text"]:
        assert is_below(tables, texts, entity).all()
    rest = right.loc[~right["match"].isin(FOUND), "text"]
    assert is_below(tables, rest, tables.entities["entity_id"].iloc[0]).isna().all()


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_code_lists_read_every_spelling_alike_with_tables_and_without(all_tables, expected, system):
    tables, right = all_tables[system], expected[system]
    entities = tables.entities
    named = entities["code"].notna() & entities["class_kind"].eq("category") & entities["code"].str.len().ge(3)
    codes = [code for code in entities.loc[named, "code"] if not code.startswith("X")]
    lists = [CodeList([code], name=code, classification=system) for code in codes]
    frame = pd.DataFrame({"code": right["text"].tolist()})
    by_tables = flag(frame, lists, tables=tables, members="first")[codes]
    ids = dict(zip(entities["code"], entities["entity_id"], strict=True))
    one = right["match"].ne("several")
    for code in codes:
        inside = is_below(tables, frame["code"], ids[code]).fillna(value=False).astype(bool)
        assert by_tables.loc[one, code].tolist() == inside[one].tolist()
    by_texts = flag(frame, lists, members="first")[codes]
    has_wider_names = right["text"].str.contains(r"^\s*[0-9 ]{5,}|://|[0-9]-[A0-9]", regex=True)
    is_text = right["match"].isin(["exact", "dotless", "stem", "several", "missing"]) & ~has_wider_names
    pd.testing.assert_frame_equal(by_texts[is_text], by_tables[is_text])


def test_entities_to_load_are_read_alike(expected):
    for system in ("icd10", "mms"):
        right = expected[system]
        named = right[right["match"].isin(["exact", "dotless"]) & right["canonical"].ne("")]
        for text, canonical in zip(named["text"], named["canonical"], strict=True):
            assert read_reference(text, system).text == canonical


@pytest.mark.parametrize("row", SPELLINGS, ids=lambda row: f"{row['classification']}-{row['text']!r}")
def test_the_reader_of_single_codes_agrees(row):
    system, text, canonical = row["classification"], row["text"], row["canonical"]
    n_codes = len(split_codes(text))
    assert (n_codes == 0) == (row["match"] == "missing" or text == ",")
    assert (n_codes > 1) == (row["match"] == "several")
    if canonical and canonical != "several":
        assert normalize_code(text, classification=system) == canonical
        assert parse_code(canonical, classification=system) == parse_code(text, classification=system)
    elif "://" not in text and not text.strip()[:3].isdecimal():
        with pytest.raises(CodeSyntaxError):
            parse_code(text, classification=system)


@pytest.mark.parametrize("text", ["1a00", "1A00.", "1A00&XN8P1", "2C25, 1A00", "2C25/1A00"])
def test_changes_are_found_for_every_spelling(text):
    changes = pd.DataFrame({"entity_id": ["1"], "change": ["removed"], "old_code": ["1A00"], "new_code": [None]})
    assert affected_codes(changes, [text])["role"].tolist() == ["old"]
