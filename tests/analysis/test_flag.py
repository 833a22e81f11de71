import random

import numpy as np
import pandas as pd
import pytest

import icdframes
from icdframes import CodeList, flag
from icdframes.errors import ConfigurationError
from icdframes.model.codes import parse_code

LISTS = [
    CodeList(["1A00-1A03"], ["1A03.0"], name="gut"),
    CodeList(["2C25"], name="lung"),
    CodeList(["XH74S1"], name="adenoma"),
    CodeList(["2C25&XH74S1/1A00"], name="both"),
]
CELLS = [
    ("1A00", "1000"),
    ("1a03.0", "0000"),
    ("1A03", "1000"),
    ("2C25.2&XH74S1/1A00", "1111"),
    ("2C25.2/1A00&XH74S1", "1110"),
    ("XH74S1", "0010"),
    ("1A03.0; 2C25", "0100"),
    ("2C25.2 & xh74s1", "0110"),
    ("http://id.who.int/icd/release/11/2024-01/mms/257068234", "1000"),
    ("135352227/other", "0000"),
    ("9Z99", "0000"),
    ("nonsense!", "0000"),
    ("", "0000"),
    (None, "0000"),
]


@pytest.fixture
def cells():
    return pd.DataFrame({"row": range(len(CELLS)), "code": [text for text, _ in CELLS]})


def flags_of(frame, names):
    return ["".join(str(int(value)) for value in row) for row in frame[names].to_numpy()]


def test_each_cell_is_flagged_the_same_by_every_library(library, cells, mms):
    names = [one.name for one in LISTS]
    found = library.to_pandas(flag(library.make(cells), LISTS, tables=mms))
    assert list(found.columns) == ["row", "code", *names]
    found = found if library.has_order else found.sort_values("row")
    assert flags_of(found, names) == [wanted for _, wanted in CELLS]
    assert all(str(dtype) in {"bool", "boolean", "bool[pyarrow]"} for dtype in found[names].dtypes)


def test_several_columns_and_persons_in_every_library(library, mms):
    stays = pd.DataFrame({"id": [1, 1, 2, 3], "a": ["1A00", None, "1A03.0", None], "b": [None, "2C25", "1A03.0", None]})
    found = library.to_pandas(flag(library.make(stays), LISTS[:2], code=["a", "b"], tables=mms, suffix="_ever"))
    found = found if library.has_order else found.sort_values(["id", "a"])
    assert flags_of(found, ["gut_ever", "lung_ever"]) == ["10", "01", "00", "00"]
    people = library.to_pandas(flag(library.make(stays), LISTS[:2], code=["a", "b"], tables=mms, id="id"))
    people = people.sort_values("id")
    assert people.columns.tolist() == ["id", "gut", "lung"]
    assert flags_of(people, ["gut", "lung"]) == ["11", "00", "00"]


@pytest.mark.parametrize(
    "members, wanted",
    [("any", ["111", "110", "001"]), ("stems", ["110", "110", "001"]), ("first", ["010", "110", "001"])],
)
def test_members_that_count(mms, members, wanted):
    frame = pd.DataFrame({"code": ["2C25.2&XH74S1/1A00", "1A00; 2C25", "XH74S1"]})
    found = flag(frame, LISTS[:3], tables=mms, members=members)
    assert flags_of(found, ["gut", "lung", "adenoma"]) == wanted


def test_an_excluded_extension_code_or_cluster_takes_whole_clusters_out(mms):
    lists = [
        CodeList(["2C25"], ["XH74S1"], name="without_adenoma"),
        CodeList(["2C25", "1A00"], ["2C25/1A00"], name="not_together"),
        CodeList(["2C25", "X"], ["XH74S1"], name="narrowest"),
    ]
    frame = pd.DataFrame({"code": ["2C25", "2C25&XH74S1", "2C25&XH74", "2C25.2&XH74/1A00", "XH74S1"]})
    found = flag(frame, lists, tables=mms)
    assert flags_of(found, [one.name for one in lists]) == ["111", "011", "111", "101", "000"]


def test_codes_that_are_longer_than_the_tables_know_belong_to_what_is_above(mms):
    lists = [CodeList(["1A00"], name="below"), CodeList(["=1A00"], name="alone")]
    found = flag(pd.DataFrame({"code": ["1A00.7", "1A00"]}), lists, tables=mms)
    assert flags_of(found, ["below", "alone"]) == ["10", "11"]


def test_without_tables_the_texts_decide_as_the_tables_do(icd10_2019):
    lists = [
        CodeList(["A00-A09", "F0*", "=I10"], ["A01-A03", "A02.1"][:1], name="a", classification="icd10"),
        CodeList(["E10", "E11.2"], ["E10.2"], name="b", classification="icd10"),
    ]
    codes = icd10_2019.entities.loc[icd10_2019.entities["class_kind"] == "category", "code"]
    frame = pd.DataFrame({"code": [*codes, *codes.str.replace(".", ""), "A00.0†", "i10x", "e10.2 ", None]})
    with_tables, without = flag(frame, lists, tables=icd10_2019), flag(frame, lists)
    pd.testing.assert_frame_equal(with_tables, without)
    assert without[["a", "b"]].sum().gt(10).all()


def test_what_needs_tables_says_so():
    frame = pd.DataFrame({"code": ["6D80"]})
    for rule in ("06", "BlockL1-6D7", "XH74S1", "257068234", "6D80&XS25"):
        with pytest.raises(ConfigurationError, match="tables="):
            flag(frame, CodeList([rule]))
    with pytest.raises(ConfigurationError, match="tables="):
        flag(frame, CodeList(["6D80"]) | CodeList(["6D81"], name="y"))
    with pytest.raises(ConfigurationError, match="leaves them out"):
        flag(frame, CodeList(["6D80-6D83"], ["6D82-6D85"]))
    assert flag(frame, CodeList(["6D8A", "6D80"], name="x"))["x"].tolist() == [True]


@pytest.mark.parametrize(
    "options",
    [
        {"code": "icd"},
        {"code": []},
        {"members": "some"},
        {"id": "person"},
        {"suffix": "de"},
    ],
)
def test_what_cannot_be_done_is_refused(options):
    frame = pd.DataFrame({"code": ["6D80"]})
    with pytest.raises(ConfigurationError):
        flag(frame, CodeList(["6D80"], name="co"), **options)


def test_two_lists_of_one_name_and_codes_as_numbers_are_refused(mms):
    with pytest.raises(ConfigurationError, match="Two code lists"):
        flag(pd.DataFrame({"code": ["1A00"]}), [LISTS[0], LISTS[0]], tables=mms)
    with pytest.raises(ConfigurationError, match="decimal"):
        flag(pd.DataFrame({"code": [1.0]}), LISTS, tables=mms)


def test_the_frame_itself_and_its_index_stay(mms, cells):
    frame = cells.set_index(pd.Index(range(100, 100 + len(cells))))
    found = flag(frame, LISTS[0], tables=mms)
    assert list(frame.columns) == ["row", "code"]
    assert found.index.equals(frame.index)
    assert flag(frame.iloc[:0], LISTS[0], tables=mms)["gut"].dtype == bool


def random_clusters(tables, n, seed=7):
    """Return clusters of real codes: one to three stems, each with up to two extension codes."""
    entities = tables.entities[tables.entities["class_kind"] == "category"]
    stems = entities.loc[entities["chapter"] != "X", "code"].tolist()
    extensions = entities.loc[entities["chapter"] == "X", "code"].tolist()
    likely = ["6D80", "5A11", "NE60", "PB20", "XM7S23", "8A20", "5A10"]
    near = [code for code in stems if code[:4] in likely] + ["XM7S23"]
    chance = random.Random(seed)

    def one():
        groups = []
        for _ in range(chance.choice((1, 1, 2, 3))):
            stem = chance.choice(near[:-1] if chance.random() < 0.3 else stems)
            more = [
                chance.choice(extensions) if chance.random() < 0.8 else "XM7S23"
                for _ in range(chance.choice((0, 0, 1, 2)))
            ]
            groups.append("&".join([stem, *more]))
        return "/".join(groups)

    return [one() for _ in range(n)]


STUDIES = {
    "dementia": CodeList(["6D80-6D86", "8A20", "6D80.1"], ["6D84", "6D80"], name="dementia"),
    "diabetes": CodeList(["BlockL2-5A1"], ["5A13", "5A11/8A20"], name="diabetes"),
    "opioids": CodeList(["NE60&XM7S23", "PB20-PB22", "XM7S23"], ["PB21", "XT8W"], name="opioids"),
}


@pytest.mark.full_size
def test_flags_equal_brute_force_on_25_000_clusters(mms_2024):
    clusters = random_clusters(mms_2024, 25_000)
    found = flag(pd.DataFrame({"code": clusters}), STUDIES.values(), tables=mms_2024)
    entities = mms_2024.entities
    names = pd.concat([entities["code"], entities["block_id"]])
    keys = dict(zip(names, [*entities["entity_id"], *entities["entity_id"]], strict=True))
    parent = dict(zip(entities["entity_id"], entities["parent_id"], strict=True))

    def path(code):
        here = keys[code]
        while isinstance(here, str):
            yield here
            here = parent[here]

    above = {code: set(path(code)) for code in {m.code for text in clusters for m in parse_code(text).members}}

    def below(code, *tops):
        return any(keys[top] in above[code] for top in tops)

    def dementia(cluster):
        codes = [member.code for member in cluster.members]
        taken = ("6D81", "6D82", "6D83", "6D85", "6D86", "8A20")
        return any(below(code, *taken) or below(code, "6D80.1") for code in codes)

    def diabetes(cluster):
        stems = [member.code for member in cluster.stems]
        if any(below(code, "5A11") for code in stems) and any(below(code, "8A20") for code in stems):
            return False
        return any(below(code, "BlockL2-5A1") and not below(code, "5A13") for code in stems)

    def opioids(cluster):
        codes = [member.code for member in cluster.members]
        if any(below(code, "XT8W") for code in codes):
            return False
        return any(below(code, "XM7S23") or below(code, "PB20", "PB22") for code in codes)

    parsed = [parse_code(text) for text in clusters]
    for name, brute in (("dementia", dementia), ("diabetes", diabetes), ("opioids", opioids)):
        wanted = np.array([brute(cluster) for cluster in parsed])
        assert wanted.sum() > 100
        assert (found[name].to_numpy() == wanted).all(), name


def test_a_set_of_lists_and_its_score_in_every_library(library):
    charlson = icdframes.load_codelists("charlson-quan-2005")
    stays = pd.DataFrame({"id": [1, 1, 2, 3], "code": ["E11.9", "E11.2", "C78.0", "I10"]})
    people = flag(library.make(stays), charlson, id="id")
    scored = library.to_pandas(charlson.score(people)).sort_values("id")
    assert scored["score"].tolist() == [2, 6, 0]
    other = library.to_pandas(charlson.score(people, weights="quan-2011", column="other")).sort_values("id")
    assert other["other"].tolist() == [1, 6, 0]
    with pytest.raises(ConfigurationError):
        charlson.score(people, weights="mine")
    with pytest.raises(ConfigurationError):
        charlson.score(people, column="dementia")
    with pytest.raises(ConfigurationError):
        charlson.score(library.make(stays))


def test_a_set_is_asked_by_name():
    charlson = icdframes.load_codelists("charlson-quan-2005")
    assert len(charlson) == 17
    assert charlson["aids_hiv"].description == "AIDS/HIV"
    with pytest.raises(ConfigurationError):
        charlson["aids"]
    with pytest.raises(ConfigurationError, match="charlson-quan-2005"):
        icdframes.load_codelists("charlson")


def test_shipped_codes_are_those_of_the_source(full_size):
    source = pd.read_csv(full_size / "comorbidity" / "CHARLSON_QUAN.csv").iloc[1:]
    charlson = icdframes.load_codelists("charlson-quan-2005")
    told = [["".join(rule.code.split(".")).rstrip("*") for rule in one.include] for one in charlson]
    assert told == [cell.split("|") for cell in source["icd10_codes"]]
    weights = pd.read_csv(full_size / "comorbidity" / "CHARLSON_WEIGHTS.csv").iloc[1:]
    assert list(charlson.weights["charlson"].values()) == weights["charlson_weights"].tolist()


@pytest.mark.slow
@pytest.mark.full_size
@pytest.mark.filterwarnings("ignore::DeprecationWarning:polars")
def test_charlson_equals_pycomorb_on_300_000_rows_of_21_columns(icd10_2019):
    pycomorb = pytest.importorskip("pycomorb", reason="pycomorb is not installed")
    pl = pytest.importorskip("polars")
    entities = icd10_2019.entities
    codes = entities.loc[entities["class_kind"] == "category", "code"].to_numpy(dtype=object)
    chance = np.random.default_rng(3)
    pool = np.concatenate([codes, [code.replace(".", "") for code in codes], ["I21.A1", "E11.65", "C7B.02", "Z99.2X"]])
    columns = [f"dx{number}" for number in range(21)]
    picked = chance.integers(0, len(pool), (300_000, 21))
    wide = pd.DataFrame(pool[picked], columns=columns)
    wide = wide.mask(chance.random(wide.shape) < 0.9)
    wide.insert(0, "id", np.arange(len(wide)))
    charlson = icdframes.load_codelists("charlson-quan-2005")
    ours = charlson.score(flag(wide, charlson, code=columns))
    long = wide.melt("id", columns, value_name="code")[["id", "code"]]
    theirs = pycomorb.CharlsonComorbidityIndex(
        pl.DataFrame(
            {
                "id": long["id"].to_numpy(),
                "code": long["code"].astype(object).where(long["code"].notna(), None).tolist(),
                "age": np.zeros(len(long)),
            }
        ),
        return_categories=True,
    ).sort("id")
    assert theirs["Charlson Comorbidity Index"].to_list() == ours["score"].tolist()
    for one in charlson:
        category = next(name for name in theirs.columns if one.description.startswith(name))
        superseded = {"mild_liver_disease", "diabetes_uncomplicated", "any_malignancy"}
        if one.name not in superseded:
            assert theirs[category].cast(pl.Boolean).to_list() == ours[one.name].tolist(), one.name
