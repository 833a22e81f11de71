"""Every code that WHO has published in the real tables is read as itself."""

import csv
import gzip
import io
import zipfile
from xml.etree import ElementTree as ET

import pytest

from icdframes.errors import CodeSyntaxError
from icdframes.model.cluster import Cluster, Member
from icdframes.model.codes import normalize_code, parse_code

pytestmark = pytest.mark.full_size


def _rows(path):
    with gzip.open(path, "rb") as packed, io.TextIOWrapper(packed, encoding="utf-8-sig") as lines:
        yield from csv.DictReader(lines, delimiter="\t")


@pytest.mark.parametrize(
    "file, total",
    [("2022-02_simpletabulation_en.tsv.gz", 34_079), ("2024-01_SimpleTabulation-ICD-11-MMS-en.txt.gz", 34_663)],
)
def test_every_real_mms_code_is_itself(full_size, file, total):
    codes = 0
    chapters = set()
    for row in _rows(full_size / "mms" / file):
        if code := row["Code"]:
            codes += 1
            (member,) = parse_code(code).members
            assert (member.text, member.kind) == (code, "category")
            assert (member.role == "extension") == (row["ChapterNo"] == "X")
            assert member.is_residual == (row["IsResidual"].lower() == "true")
            uri = row.get("Linearization URI") or row["Linearization (release) URI"]
            assert member.residual in {None, uri.rpartition("/")[2]}
        elif block := row["BlockId"]:
            assert (str(parse_code(block)), parse_code(block).members[0].kind) == (block, "block")
        chapters.add(row["ChapterNo"])
    assert codes == total
    assert len(chapters) == 28
    assert all(parse_code(chapter) == Cluster((Member(chapter, kind="chapter"),)) for chapter in chapters)


def test_every_real_icf_code_is_itself(full_size):
    with zipfile.ZipFile(full_size / "icf" / "2022-09_LinearizationMiniOutput-ICF-en.zip") as archive:
        text = archive.read("LinearizationMiniOutput-ICF-en.txt").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    found = [row["Code"] or row["BlockId"] for row in rows if row["Code"] or row["BlockId"]]
    assert len(found) == 1536 + 71
    for code in found:
        cluster = parse_code(code)
        assert (str(cluster), cluster.classification, cluster.stem.qualifiers) == (code, "icf", ())
        assert cluster.stem.kind == ("block" if code.startswith("Block") else "category")


def test_every_real_icd10_code_is_itself_with_and_without_its_dot(full_size):
    kinds = {"chapter": "chapter", "block": "range", "category": "category", "subcategory": "category"}
    with gzip.open(full_size / "icd10" / "icd_10_v2019.xml.gz") as packed:
        items = list(ET.parse(packed).iter("item"))
    assert len(items) == 12_542
    for item in items:
        code = item.findtext("name")
        cluster = parse_code(code, classification="icd10")
        assert (str(cluster), cluster.stem.kind) == (code, kinds[item.get("type")])
        assert normalize_code(code.replace(".", ""), classification="icd10") == code
        assert item.get("type") == "chapter" or parse_code(code.replace(".", "")) == cluster


@pytest.mark.parametrize(
    "file", ["2024-01_10To11MapToOneCategory.txt.gz", "2024-01_10To11MapToMultipleCategories.txt.gz"]
)
def test_every_cluster_of_the_real_mapping_is_itself(full_size, file):
    codes = {row["icd11Code"] for row in _rows(full_size / "mapping" / file)} - {""}
    assert sum("&" in code or "/" in code for code in codes) > 500
    assert all(str(parse_code(code)) == code for code in codes)


def test_the_twenty_clusters_of_the_real_codedit_example_are_read(full_size):
    with (full_size / "examples" / "codedit_example_raw_cod.csv").open(encoding="utf-8-sig", newline="") as lines:
        written = [row["icd_11_underlying_cause"] for row in csv.DictReader(lines)]
    read = [parse_code(text) for text in written]
    assert [str(cluster) for cluster in read] == written
    assert len(read) == 20
    assert sum(cluster.is_cluster for cluster in read) == 13
    assert [[member.code for member in cluster.members] for cluster in read[:2]] == [
        ["NE84", "XA6KU8"],
        ["2B6D", "XS9R"],
    ]
    assert [cluster.stem.residual for cluster in read if cluster.stem.is_residual] == [
        "unspecified", "unspecified", "unspecified", "unspecified", "other", "unspecified",
    ]  # fmt: skip


def test_the_dotless_codes_of_the_real_codedit_example_are_read(full_size):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(full_size / "examples" / "codedit_data_example_icd10.xlsx", read_only=True)
    written = [row[4] for row in book.active.iter_rows(min_row=2, values_only=True) if row[4]]
    book.close()
    assert len(written) == 3612
    for text in set(written) - {"G20A"}:
        cluster = parse_code(text)
        assert (cluster.classification, str(cluster).replace(".", "")) == ("icd10", text)
        assert str(cluster)[3:4] == ("." if len(text) > 3 else "")
    with pytest.raises(CodeSyntaxError):
        parse_code("G20A")
