import csv
import random
from dataclasses import replace

import pandas as pd
import pytest

import icdframes
from icdframes.coding.clusters import ClusterTables, build_cluster, find_row
from icdframes.errors import CodeSyntaxError, ConfigurationError, EntityNotFoundError
from icdframes.model.codes import parse_code
from icdframes.sandbox.clusters import place
from icdframes.sandbox.sample import sample_corpus


@pytest.fixture(scope="module")
def client(shared_cache):
    return icdframes.connect("sandbox", cache_dir=shared_cache)


@pytest.fixture(scope="module")
def tables(client):
    return client.load_tables(release="2024-01", language=["en", "es"])


@pytest.fixture(scope="module")
def old_tables(client):
    return client.load_tables(release="2022-02")


@pytest.fixture(scope="module")
def random_clusters(tables):
    """Return 1,000 clusters of codes of the sandbox, half of them of a stem and a value of one of its axes."""
    reader = ClusterTables(tables)
    chance = random.Random(11)
    codes = tables.entities.loc[tables.entities["class_kind"] == "category", "code"].tolist()
    stems = [code for code in codes if not code.startswith("X")]
    extensions = [code for code in codes if code.startswith("X")]
    placeable = [row for row, axes in reader.axes.items() if reader.columns["code"][row]]

    def likely():
        row = chance.choice(placeable)
        values = [value for axis in reader.axes[row] for value in reader.values_of(row, axis)]
        picked = [
            reader.columns["code"][value] for value in chance.sample(values, min(len(values), chance.choice((1, 2))))
        ]
        return build_cluster(reader.columns["code"][row], picked)

    def unlikely():
        groups = [
            "&".join([chance.choice(stems), *chance.sample(extensions, chance.choice((0, 1, 2)))]) for _ in range(2)
        ]
        return "/".join(groups[: chance.choice((1, 2))])

    return [chance.choice((likely, unlikely))() for _ in range(1000)]


@pytest.mark.slow
def test_verdicts_are_those_of_the_sandbox(tables, random_clusters):
    listing = sample_corpus().listing("mms", "2024-01")
    wanted = [(placed := place(listing, text)) is not None and placed.fits for text in random_clusters]
    found = icdframes.check_codes(random_clusters, tables)["valid"].tolist()
    agreed = sum(one == other for one, other in zip(wanted, found, strict=True))
    assert agreed >= 995
    assert 200 < sum(wanted) < 800


def test_descriptions_are_those_of_the_sandbox(client, tables, random_clusters):
    some = random_clusters[:60]
    asked = client.describe(some, release="2024-01", language=["en", "es"], flexible=True, progress=False)
    told = client.describe(some, tables=tables)
    columns = [name for name in asked.columns if not name.startswith("postcoordination")]
    pd.testing.assert_frame_equal(told[columns], asked[columns], check_dtype=False)
    decoded = client.decode_codes(some, tables=tables)
    theirs = client.decode_codes(some, release="2024-01", language=["en", "es"], progress=False)
    columns = ["value", "code", "role", "axis", "title", "title_es", "entity_id", "status"]
    same = decoded[columns].eq(theirs[columns]) | (decoded[columns].isna() & theirs[columns].isna())
    placed = theirs["axis"].ne("otherPostcoordination")
    assert same[placed].to_numpy().all()


@pytest.mark.full_size
def test_verdicts_are_those_of_who(full_size, tables):
    file = full_size.parent / "icd-api" / "facts" / "who_cluster_verdicts_2026-06.tsv"
    if not file.is_file():
        pytest.skip("WHO's verdicts are not beside the tables")
    known = set(tables.entities["code"].dropna())
    met = 0
    with file.open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows, delimiter="\t"):
            if not row["system"].endswith("mms"):
                continue
            checked = icdframes.check_codes(row["expression"], tables)
            try:
                codes = {member.code for member in parse_code(row["expression"], classification="mms").members}
            except CodeSyntaxError:
                codes = set()
            if codes <= known:
                assert checked["valid"].tolist() == [row["who_says_valid"] == "true"], row
                met += 1
    assert met >= 10


@pytest.mark.parametrize(
    "code, valid, reason",
    [
        ("1A00&XN8P1", True, None),
        ("1A00&XN108", False, "outside the scale of infectiousAgent"),
        ("BA41.0&XK8G", False, "an axis that BA41.0"),
        ("BA41.0/1A00", False, "two stems without a link"),
        ("5A11/5A23", True, None),
        ("5A23/5A11", True, None),
        ("1A00&XY6M", False, "no axis of 1A00"),
        ("01", True, None),
        ("XN8P1", True, None),
        ("9A00", False, "9A00 is not in mms 2024-01"),
        ("1A0!", False, "does not fit"),
    ],
)
def test_a_verdict_says_why(tables, code, valid, reason):
    found = icdframes.check_codes(code, tables).iloc[0]
    assert found["valid"] == valid
    assert (reason in found["reason"]) if reason else pd.isna(found["reason"])


def test_how_a_code_reads_and_what_it_is(tables, old_tables):
    gone = next(iter(set(old_tables.entities["code"].dropna()) - set(tables.entities["code"].dropna())))
    given = pd.Series(["1A00", "1a00 ", "1A00; 7A00", None, "", gone, "VD00", "7A0Z"], index=list("abcdefgh"))
    found = icdframes.check_codes(given, tables, others=[old_tables])
    assert found.index.tolist() == list("abccdefgh")
    assert found["reading"].tolist()[:6] == ["exact", "respelled", "several", "several", "missing", "missing"]
    assert found.loc["a", ["code", "title", "entity_id", "class_kind"]].tolist() == [
        "1A00",
        "Cholera",
        "257068234",
        "category",
    ]
    assert found.loc["a", ["known", "is_leaf", "is_residual", "primary"]].tolist() == [True, True, False, True]
    assert found.loc["f", ["known", "known_in", "valid"]].tolist() == [False, "2022-02", False]
    assert bool(found.loc["h", "is_residual"])
    assert found["valid"].isna().tolist()[4:6] == [True, True]


def test_what_a_coder_may_want_to_know_makes_nothing_invalid(tables):
    single = replace(tables, axes=tables.axes.assign(allow_multiple="NotAllowed"))
    twice = icdframes.check_codes("1A00&XN8P1&XN62R", single).iloc[0]
    assert twice["valid"]
    assert "1A00 takes one value of infectiousAgent, and has XN8P1, XN62R" in twice["advice"]
    repeated = icdframes.check_codes("1A00&XN8P1&XN8P1", tables).iloc[0]
    assert repeated["valid"]
    assert "XN8P1 is repeated and counts once" in repeated["advice"]
    required = replace(tables, axes=tables.axes.assign(required=True))
    assert "requires a value" in icdframes.check_codes("1A00", required)["advice"].item()
    assert icdframes.check_codes("1A00", required)["valid"].item()
    assert "not for primary coding" in icdframes.check_codes("XN8P1", tables)["advice"].item()


def test_tables_that_do_not_tell_say_not_checked(client, tables):
    bare = replace(tables, axes=tables.axes.iloc[:0])
    found = icdframes.check_codes(["1A00&XN8P1", "1A00", "9A00"], bare)
    assert found["valid"].isna().tolist() == [True, False, False]
    assert found["reason"].iloc[0].startswith("not checked: these tables hold no axes")
    branch = client.load_tables("01", release="2024-01")
    part = icdframes.check_codes(["1A00&XN8P1", "1A00/1A01", "9A00"], branch)
    assert part["valid"].isna().all()
    assert part["reason"].str.startswith("not checked").all()


def test_qualifiers_of_icf(client):
    icf = client.load_tables(classification="icf")
    code = icf.entities.loc[icf.entities["code"].str.fullmatch("b[0-9]{3}", na=False), "code"].iloc[0]
    found = icdframes.check_codes([code, f"{code}.2", f"{code}.qp3"], icf)
    assert found["known"].all()
    assert found["valid"].tolist()[0]
    newer = replace(icf, provenance=replace(icf.provenance, release="2026-01"))
    assert (
        icdframes.check_codes(f"{code}.2", newer)["valid"].item() is False
        or not icdframes.check_codes(f"{code}.2", newer)["valid"].item()
    )


def test_labels_are_written_as_who_does(client, tables):
    told = client.describe("1A00&XN8P1", tables=tables)
    assert told["label"].item() == "Cholera [Vibrio cholerae O1, biovar cholerae]"
    assert told["uri"].item().count(" & ") == 1
    assert told["postcoordination"].item() == "infectiousAgent=Vibrio cholerae O1, biovar cholerae"
    two = client.describe("5A11/5A23", tables=tables)["label"].item()
    assert " / " in two
    assert client.describe("7A0Z", tables=tables)["foundation_uri"].isna().item()


def test_what_the_tables_lack_is_not_found_and_what_is_no_code_invalid(client, tables):
    for verb in (client.describe, client.decode_codes):
        found = verb(["9A00", "1A0!", None, "1A00"], tables=tables)
        assert found["status"].tolist() == ["not_found", "invalid", "empty", "ok"]
        with pytest.raises(CodeSyntaxError):
            verb("1A0!", tables=tables)
    with pytest.raises(EntityNotFoundError):
        client.describe("9A00", tables=tables)


def test_a_server_without_describe_is_asked_for_codeinfo(icd_client, icd_sandbox):
    icd_sandbox.fail("*/describe*", status=404, times=None)
    found = icd_client.decode_codes("1A00&XN8P1", release="2024-01")
    assert found["axis"].tolist()[1] == "infectiousAgent"


def test_clusters_are_built_in_order(tables):
    assert build_cluster("1a00", ["5A11&XT5R", "xn8p1"]) == "1A00&XN8P1/5A11&XT5R"
    assert tables.entities["code"].iloc[find_row(ClusterTables(tables), "1A00")] == "1A00"
    with pytest.raises(EntityNotFoundError):
        find_row(ClusterTables(tables), "9A00")


def test_what_is_no_column_is_refused(tables):
    with pytest.raises(ConfigurationError, match="no column"):
        icdframes.check_codes(tables.entities, tables)
