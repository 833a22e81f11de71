import json

import pandas as pd
import pytest

from icdframes import CodeList, CodeRule, read_codelist
from icdframes.errors import ConfigurationError, ExportError, FileFormatError


@pytest.fixture
def nested():
    return CodeList(
        ["01", "=2C25", CodeRule("1A03.0", note="back in, after all"), "XH74S1", "2C25.2&XH74S1"],
        ["BlockL2-1A0"],
        name="a nested list",
        description="What it is for",
        authors=["A. Author", "B. Author"],
        release="2024-01",
    )


@pytest.fixture
def written(nested, mms, tmp_path):
    """Return a function that writes the list in one form and returns the file."""

    def write(form):
        file = tmp_path / f"list.{form.removeprefix('valueset.')}"
        if form == "valueset.json":
            file.write_text(json.dumps(nested.to_fhir_valueset(mms)), encoding="utf-8")
            return file
        return {"csv": nested.to_csv, "json": nested.to_json, "xlsx": nested.to_excel}[form](file)

    return write


@pytest.mark.parametrize("form", ["csv", "json", "xlsx", "valueset.json"])
def test_every_form_gives_the_same_list_again(nested, written, mms, form):
    read = read_codelist(written(form))
    if (
        form == "valueset.json"
    ):  # a code in FHIR stands for itself, so an extension code is a branch, a cluster a cluster
        assert read.codes(mms)["code"].tolist() == nested.codes(mms)["code"].tolist()
    assert read == nested


@pytest.mark.parametrize("form", ["csv", "json", "xlsx", "valueset.json"])
def test_exclusions_inside_exclusions_stay(tmp_path, mms, form):
    deep = CodeList(["01", "1A03"], ["BlockL2-1A0", "1A03.0"], name="deep")
    file = tmp_path / f"deep.{form.removeprefix('valueset.')}"
    if form == "valueset.json":
        file.write_text(json.dumps(deep.to_fhir_valueset(mms)))
    else:
        {"csv": deep.to_csv, "json": deep.to_json, "xlsx": deep.to_excel}[form](file)
    assert read_codelist(file) == deep
    assert deep.codes(mms)["code"].tolist() == ["1A03"]


def test_a_value_set_means_the_same_when_another_program_evaluates_it(nested, mms):
    """Evaluate compose as FHIR says: included by any element, excluded by none; filters of one element are joined."""
    entities = mms.entities
    name = entities["code"].fillna(entities["block_id"])
    names = dict(zip(entities["entity_id"], name, strict=True))
    parent = dict(zip(name, entities["parent_id"].map(names), strict=True))

    def above(code):
        while isinstance(code, str):
            yield code
            code = parent.get(code)

    def taken(element, code):
        if "concept" in element:
            return code in {one["code"] for one in element["concept"]}
        tests = {"is-a": lambda value: value in above(code), "is-not-a": lambda value: value not in above(code)}
        return all(tests[one["op"]](one["value"]) for one in element["filter"])

    deep = CodeList(["01", "1A03", "2C25-2C25.2"], ["BlockL2-1A0", "1A03.0"])
    for codelist in (nested, deep):
        compose = codelist.to_fhir_valueset(mms)["compose"]
        found = [
            code
            for code in entities.loc[entities["class_kind"] == "category", "code"]
            if any(taken(element, code) for element in compose["include"])
            and not any(taken(element, code) for element in compose.get("exclude", ()))
        ]
        listed = codelist.codes(mms)
        assert found == listed.loc[listed["class_kind"] == "category", "code"].tolist()


def test_a_value_set_is_valid(nested, mms):
    valueset = pytest.importorskip("fhir.resources.valueset", reason="fhir.resources is not installed")
    made = valueset.ValueSet.model_validate(nested.to_fhir_valueset(mms))
    assert made.compose.include[0].system == "http://id.who.int/icd/release/11/mms"
    ranged = CodeList(["A00-A09"], name="r", classification="icd10")
    assert valueset.ValueSet.model_validate(ranged.to_fhir_valueset(_icd10())).compose.include[0].concept


def _icd10():
    columns = ["entity_id", "code", "title", "class_kind", "parent_id"]
    rows = [("A00", "A00", "Cholera", "category", None), ("A09", "A09", "Diarrhoea", "category", None)]
    return pd.DataFrame(rows, columns=columns).astype("str")


def test_the_form_of_most_papers_is_written_and_read(nested, mms, tmp_path):
    file = nested.to_csv(tmp_path / "codes.csv", tables=mms)
    assert file.read_text(encoding="utf-8").splitlines()[0] == '"code","term"'
    read = read_codelist(file)
    assert {rule.scope for rule in read.include} == {"alone", "cluster"}
    assert read.codes(mms)["code"].tolist() == nested.codes(mms)["code"].tolist()
    assert read.name == "a nested list"


@pytest.mark.parametrize(
    "text, encoding",
    [
        ("code,term\nA00,Choléra\nA09,\n", "utf-8"),
        ("\ufeffICD10 Code;Label\r\nA00;Choléra\r\nA09;x\r\n", "utf-8"),
        ("icd10\tdescription\nA00\tChol\xe9ra\nA09\tx\n", "cp1252"),
    ],
)
def test_tables_of_others_are_read(tmp_path, text, encoding):
    file = tmp_path / "cholera.v2.csv"
    file.write_bytes(text.encode(encoding))
    read = read_codelist(file, scope="branch")
    assert next((rule.code, rule.scope, rule.title) for rule in read.include) == ("A00", "branch", "Choléra")
    assert (read.name, read.classification, len(read.include)) == ("cholera", "icd10", 2)


def test_a_combined_list_is_kept_by_json(tmp_path, mms):
    both = CodeList(["01"], name="a") - CodeList(["1A03"], name="b")
    assert read_codelist(both.to_json(tmp_path / "both.json")) == both
    for refused in (both.to_csv, both.to_excel):
        with pytest.raises(ConfigurationError, match="resolved"):
            refused(tmp_path / "both.xlsx")
    with pytest.raises(ConfigurationError, match="resolved"):
        both.to_fhir_valueset(mms)


def test_a_title_that_looks_like_a_formula_stays_text(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    file = CodeList([CodeRule("1A00", title="=1+1")]).to_excel(tmp_path / "list.xlsx")
    assert openpyxl.load_workbook(file)["rules"]["B2"].data_type == "s"


@pytest.mark.parametrize(
    "name, text",
    [
        ("list.csv", "term,note\nx,y\n"),
        ("list.csv", "code\nnothing like it\n"),
        ("list.csv", "code,rule\nA00-A09,include\nA05,Ausschluss\n"),
        ("list.csv", "code,code\nA00,A01\n"),
        ("list.json", "{}"),
        ("list.json", "[]"),
        ("list.json", '{"resourceType": "ValueSet"}'),
        ("list.json", '{"resourceType": "ValueSet", "compose": {"include": [{"valueSet": ["x"]}]}}'),
        ("list.json", '{"resourceType": "ValueSet", "compose": {"include": [{"system": "x", "filter": []}]}}'),
        ("list.xlsx", "no workbook"),
    ],
)
def test_what_is_no_code_list_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(FileFormatError):
        read_codelist(tmp_path / name)


def test_files_are_not_replaced_unasked(tmp_path):
    file = CodeList(["1A00"]).to_json(tmp_path / "list.json")
    with pytest.raises(ExportError, match="exists"):
        CodeList(["1A00"]).to_json(file)
    assert CodeList(["1A03"]).to_json(file, overwrite=True) == file
    with pytest.raises(FileFormatError, match="no file"):
        read_codelist(tmp_path / "lost.json")
