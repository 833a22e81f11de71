"""Columns of words → candidates, on the sandbox's tables and on small made-up ones."""

import sys

import numpy as np
import pandas as pd
import pytest

import icdframes
from icdframes.coding import candidates
from icdframes.coding.normalize import compact_code, normalizer, stem_of, strip_excepted
from icdframes.coding.phrases import keys_of
from icdframes.errors import ComparabilityWarning, ConfigurationError, FileFormatError, MissingExtraError

COLUMNS = [
    "text", "part", "rank", "code", "title", "matched_term", "term_kind", "score", "chapter", "entity_id", "method",
    "needs_review",
]  # fmt: skip


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """A small tabulation: chapters, a block, entities with residuals, an extension code."""
    rows = [
        ("1", "", "Infections", "chapter", "01"),
        ("2", "", "- Intestinal infections", "block", "01"),
        ("3", "1A00", "- - Cholera", "category", "01"),
        ("4", "1A40", "- - Gastroenteritis or colitis without specification of infectious agent", "category", "01"),
        ("4/other", "1A40.Y", "- - - Other gastroenteritis", "category", "01"),
        ("4/unspecified", "1A40.Z", "- - - Gastroenteritis, unspecified", "category", "01"),
        ("5", "", "Circulatory system", "chapter", "11"),
        ("6", "8B20", "- Stroke not known if ischaemic or haemorrhagic", "category", "11"),
        ("7", "BA41", "- Acute myocardial infarction", "category", "11"),
        ("7/unspecified", "BA41.Z", "- - Acute myocardial infarction, unspecified", "category", "11"),
        ("8", "BA00", "- Essential hypertension", "category", "11"),
        ("9", "CA40", "- Pneumonia", "category", "11"),
        ("10", "5A14", "- Diabetes mellitus", "category", "11"),
        ("11", "", "Extension codes", "chapter", "X"),
        ("12", "XK9K", "- Right pneumonia", "category", "X"),
    ]
    head = ["Linearization URI", "Code", "Title", "ClassKind", "ChapterNo", "Version:2024 Jan 21"]
    lines = ["\t".join(head)]
    lines += [f"http://id.who.int/icd/release/11/2024-01/mms/{row[0]}\t" + "\t".join(row[1:]) + "\t" for row in rows]
    file = tmp_path_factory.mktemp("tabulation") / "tabulation-en.txt"
    file.write_text("\n".join(lines), encoding="utf-8")
    return icdframes.read_tabulation(file)


@pytest.fixture(scope="module")
def index(tables):
    return icdframes.TextIndex(tables)


def first(index, text, **more):
    return index.code(text, n=1, **more)["code"].tolist()


@pytest.mark.parametrize(
    "text, code",
    [
        ("cholera", "1A00"),
        ("CHOLERA!", "1A00"),
        ("colera", "1A00"),
        ("gastroenteritis", "1A40.Z"),
        ("Colitis", "1A40.Z"),
        ("acute MI", "BA41.Z"),
        ("heart attack", "BA41.Z"),
        ("CVA", "8B20"),
        ("hypertension, essential", "BA00"),
        ("right sided pneumonia", "CA40"),
    ],
)
def test_the_first_candidate(index, text, code):
    assert first(index, text) == [code]


def test_one_row_a_candidate_the_index_repeated(index):
    column = pd.Series(["cholera", None, "stroke", "cholera", 7, ""], index=list("abcdef"))
    frame = index.code(column, n=2)
    assert list(frame.columns) == COLUMNS
    assert list(dict.fromkeys(frame.index)) == list("abcdef")
    none = frame.loc[["b", "e", "f"]]
    assert none["code"].isna().all()
    assert none["rank"].isna().all()
    assert none["needs_review"].all()
    assert frame.loc[["a"]].reset_index(drop=True).equals(frame.loc[["d"]].reset_index(drop=True))
    assert frame["rank"].iloc[0] == 1
    assert frame["score"].dropna().between(0, 1).all()
    assert frame.attrs["provenance"]["classification"] == "mms"


def test_a_text_that_matches_nothing_has_its_row(index):
    frame = index.search("zzzzqqqq")
    assert len(frame) == 1
    assert frame["code"].isna().all()
    assert frame["text"].tolist() == ["zzzzqqqq"]


def test_nothing_gives_an_empty_frame_of_the_same_columns(index):
    frame = index.code([])
    assert list(frame.columns) == COLUMNS
    assert len(frame) == 0
    assert frame.dtypes.equals(index.code("cholera").dtypes)


def test_a_repeated_index_of_the_column_is_kept(index):
    frame = index.code(pd.Series(["cholera", "stroke"], index=[3, 3]), n=1)
    assert frame.index.tolist() == [3, 3]
    assert frame["code"].tolist() == ["1A00", "8B20"]


def test_the_order_of_the_column_does_not_change_an_answer(index):
    texts = ["cholera", "stroke", "colitis", "pneumonia", "diabetes"]
    forward = index.code(texts)
    backward = index.code(texts[::-1])
    for text in texts:
        one, other = (frame[frame["text"] == text].reset_index(drop=True) for frame in (forward, backward))
        pd.testing.assert_frame_equal(one, other)


def test_scores_fall_with_the_rank(index):
    for _, group in index.code(["acute gastroenteritis", "hypertension stroke"]).groupby(level=0):
        assert group["score"].is_monotonic_decreasing
        assert group["rank"].tolist() == list(range(1, len(group) + 1))
        assert group["code"].is_unique


def test_min_score_leaves_out_and_review_below_marks(index):
    frame = index.code("hypertension stroke")
    cut = index.code("hypertension stroke", min_score=float(frame["score"].iloc[0]))
    assert len(cut) <= len(frame)
    assert index.code("hypertension stroke", min_score=1.0)["code"].isna().all()
    assert index.code("cholera", review_below=1.0)["needs_review"].all()
    assert not index.code("cholera", review_below=0.0)["needs_review"].any()


@pytest.mark.parametrize(
    "text, codes",
    [
        ("pneumonia due to stroke", ["CA40", "8B20"]),
        ("diabetes, hypertension", ["5A14", "BA00"]),
        ("diabetes and pneumonia", ["5A14", "CA40"]),
        ("gastroenteritis", ["1A40.Z"]),
        (", ;", [None]),
    ],
)
def test_a_text_of_several_causes_is_split(index, text, codes):
    frame = index.code(text, n=1, split=True)
    assert [None if pd.isna(code) else code for code in frame["code"]] == codes
    assert frame["part"].tolist() == list(range(1, len(codes) + 1))


def test_the_residual_beside_a_candidate_is_proposed(index):
    frame = index.search("gastroenteritis")
    assert frame.loc[frame["method"] == "residual", "code"].tolist() == ["1A40.Y"]


def test_a_dictionary_goes_first_and_may_name_clusters(tables):
    own = pd.DataFrame({"text": ["tummy bug", "bad chest"], "code": ["1A40Z", "ca40&XK9K"]})
    frame = icdframes.code_texts(["Tummy bug", "bad chests"], tables, dictionary=own, n=1)
    assert frame["code"].tolist() == ["1A40.Z", "ca40&XK9K"]
    assert frame["title"].tolist()[1] == "Pneumonia"
    assert frame["term_kind"].eq("dictionary").all()


def test_a_stem_takes_one_place_whatever_clusters_the_dictionary_names(tables):
    own = pd.DataFrame({"text": ["bad chest left", "bad chest right"], "code": ["CA40&XK8G", "CA40&XK9K"]})
    codes = icdframes.code_texts("bad chest", tables, dictionary=own, n=5)["code"].tolist()
    assert sum(code.startswith("CA40") for code in codes) == 1


def test_the_trees_of_the_ranker_know_the_features_of_candidates(index):
    _, table = candidates.with_features(*index._compare(["cholera", "acute stroke"]))
    known = set(table)
    trees = candidates.read_trees()
    assert len(trees.rows) == 200
    assert {name for names, *_ in trees.rows for name in names} <= known
    assert {(len(names), len(above), len(values)) for names, above, values in trees.rows} == {(7, 7, 8)}


def test_a_dictionary_may_be_a_file(tables, tmp_path):
    file = tmp_path / "own.csv"
    file.write_text("text,code\ntummy bug,1A40.Z\n")
    assert icdframes.code_texts("tummy bug", tables, dictionary=file, n=1)["code"].tolist() == ["1A40.Z"]


def test_codes_of_the_dictionary_that_the_tables_lack_are_told(tables):
    own = pd.DataFrame({"text": ["tummy bug"], "code": ["ZZ99"]})
    with pytest.warns(ComparabilityWarning, match="ZZ99"):
        icdframes.TextIndex(tables, dictionary=own)


def test_a_dictionary_without_its_columns_is_refused(tables):
    with pytest.raises(ConfigurationError, match="text"):
        icdframes.TextIndex(tables, dictionary=pd.DataFrame({"wording": ["a"]}))


def test_an_index_takes_no_dictionary_later(index):
    with pytest.raises(ConfigurationError, match="TextIndex"):
        icdframes.code_texts("cholera", index, dictionary=pd.DataFrame({"text": [], "code": []}))


@pytest.mark.parametrize("wrong", [{"n": 0}, {"n": 41}, {"min_score": 2}, {"review_below": -1}])
def test_options_out_of_range_are_refused(index, wrong):
    with pytest.raises(ConfigurationError):
        index.code("cholera", **wrong)


def test_an_index_is_saved_and_loaded(index, tmp_path):
    file = index.save(tmp_path / "mms.icdindex")
    again = icdframes.TextIndex.load(file)
    texts = ["cholera", "acute MI", "stroke", None]
    pd.testing.assert_frame_equal(again.code(texts), index.code(texts))
    assert len(again) == len(index)
    assert repr(again) == repr(index)
    assert [path.name for path in tmp_path.iterdir()] == ["mms.icdindex"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"text"])
def test_a_file_that_is_no_index_is_named(tmp_path, content):
    file = tmp_path / "mms.icdindex"
    file.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"mms\.icdindex"):
        icdframes.TextIndex.load(file)
    with pytest.raises(FileFormatError, match="no file"):
        icdframes.TextIndex.load(tmp_path / "absent")


def test_a_pickle_inside_is_not_opened(tmp_path, index):
    file = tmp_path / "mms.icdindex"
    with file.open("wb") as opened:
        np.savez(opened, head=np.array([{"a": 1}], dtype=object))
    with pytest.raises(FileFormatError):
        icdframes.TextIndex.load(file)


@pytest.mark.parametrize("library", ["sklearn", "sparse_dot_topn"])
def test_without_the_extra_the_install_line_is_said(tables, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    for name in [name for name in sys.modules if name.startswith(f"{library}.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtraError, match=r"pip install 'icdframes\[coding\]'"):
        icdframes.TextIndex(tables)


def test_extension_codes_are_no_targets(index):
    assert "XK9K" not in index.search("right pneumonia", n=20)["code"].tolist()


def test_evaluate_counts_by_chapter_and_for_all(index):
    texts = ["cholera", "colitis", "stroke", "unknown words", "pneumonia"]
    codes = pd.DataFrame({"a": ["1A00", "1A40.Y", "8B20/XT5R", "1A00", None], "b": [None, None, None, None, None]})
    frame = icdframes.evaluate(texts, codes, index)
    assert frame["chapter"].tolist()[:-1] == ["01", "11"]
    assert pd.isna(frame["chapter"].iloc[-1])
    assert frame["n_texts"].tolist() == [3, 1, 4]
    assert frame["right_first"].tolist() == pytest.approx([1 / 3, 1, 1 / 2])
    assert frame["right_among_n"].tolist() == pytest.approx([2 / 3, 1, 3 / 4])
    assert frame.attrs["calibration"]["n_texts"].sum() == 4


def test_evaluate_wants_one_code_for_each_text(index):
    with pytest.raises(ConfigurationError, match="2 texts"):
        icdframes.evaluate(["cholera", "stroke"], ["1A00"], index)


def test_readings_of_a_label():
    rules = normalizer()
    assert keys_of("Sepsis without septic shock", rules) == ["sepsis"]
    assert keys_of("Fibrosis or cirrhosis", rules)[1:] == ["fibrosis", "cirrhosis"]
    assert keys_of("Myeloma [solitary]", rules) == ["myeloma solitary", "myeloma"]
    assert strip_excepted("fever, without rash, mild") == "fever, , mild"
    assert (compact_code(" ba41.z"), stem_of("BA41.Z&XT5R/CA40")) == ("BA41Z", "BA41Z")


def test_trees_are_followed_node_by_node(monkeypatch):
    """The quick way through all trees ends where a walk from node to node does, on both sides of a block."""
    names = ("a", "b")
    cuts, values = np.array([0, -1, 1, -2, -0.5, 0.5, 2], np.float32), np.arange(8, dtype=np.float32)
    rows = (((*"abababa",), cuts, values), ((*"bbbbbbb",), cuts, values / 10))
    monkeypatch.setattr(candidates, "read_trees", lambda: candidates.Trees(-3.0, rows))
    monkeypatch.setattr(candidates, "_BLOCK", 7)
    table = pd.DataFrame(np.random.default_rng(1).normal(0, 1.5, (40, 2)).astype(np.float32), columns=names)

    def walked(row):
        total = -3.0
        for features, above, leaves in rows:
            place = 0
            while place < 7:
                place = 2 * place + 1 + bool(row[features[place]] > above[place])
            total += leaves[place - 7]
        return 1 / (1 + np.exp(-total))

    expected = [walked(row) for row in table.to_dict("records")]
    assert candidates.probability(table).tolist() == pytest.approx(expected, rel=1e-5)
