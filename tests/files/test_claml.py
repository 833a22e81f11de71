"""ClaML becomes the five tables: hierarchy, texts, references, languages, and the codes that modifiers make."""

import gzip
import zipfile

import pytest

import icdframes
from icdframes.errors import ComparabilityWarning, FileFormatError
from icdframes.files.claml import read_claml, read_claml_graph
from icdframes.files.download import claml_path
from icdframes.frames.schema import as_lists
from icdframes.sandbox import Sandbox


def label(text, language="en"):
    return f'<Label xml:lang="{language}">{text}</Label>'


def rubric(text, kind="preferred", language="en"):
    return f'<Rubric kind="{kind}">{label(text, language)}</Rubric>'


def modifier(code, *values):
    return (
        f'<Modifier code="{code}">{"".join(f"<SubClass code={value!r}/>" for value, _ in values)}</Modifier>'
        + "".join(
            f'<ModifierClass code="{value}" modifier="{code}"><SuperClass code="{code}"/>{more}'
            f"{rubric(code + value)}</ModifierClass>"
            for value, more in values
        )
    )


def claml(body, version="2.0.0", head=""):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE ClaML SYSTEM "ClaML.dtd"><ClaML version="{version}">{head}'
        f'<Title name="ICD-10-EN-2019" version="2019" date="2019-01-01">ICD-10</Title>{body}</ClaML>'
    )


def read(folder, body, **more):
    path = folder / "icd10.xml"
    path.write_text(claml(body, **more), encoding="utf-8")
    return read_claml(path)


def codes_below(tables):
    rows = as_lists(tables.entities[["code", "parent_id"]])
    return dict(zip(rows["code"], rows["parent_id"], strict=True))


M = modifier("M", (".0", ""), (".1", ""))
N = modifier("N", ("0", ""), ("1", '<Meta name="excludeOnPrecedingModifier" value="M .0"/>'))


def chapter(inner, *codes):
    below = "".join(f'<SubClass code="{code}"/>' for code in codes)
    return f'<Class code="IV" kind="chapter">{inner}{below}{rubric("Endocrine")}</Class>'


def category(code, inner="", above="IV"):
    return f'<Class code="{code}" kind="category"><SuperClass code="{above}"/>{inner}{rubric(f"Title {code}")}</Class>'


ALL_M = '<ModifiedBy code="M"/>'
RULES = {
    "own": (chapter("", "E10") + category("E10", ALL_M), ["E10.0", "E10.1"]),
    "inherited": (
        chapter(ALL_M, "E10", "E11") + category("E10") + category("E11"),
        ["E10.0", "E10.1", "E11.0", "E11.1"],
    ),
    "inherited-but-excluded": (
        chapter(ALL_M, "E10", "E11") + category("E10", '<ExcludeModifier code="M"/>') + category("E11"),
        ["E11.0", "E11.1"],
    ),
    "excluded-above": (
        f'<Class code="V" kind="chapter">{ALL_M}<SubClass code="E10-E14"/>{rubric("C")}</Class>'
        '<Class code="E10-E14" kind="block"><SuperClass code="V"/><ExcludeModifier code="M"/><SubClass code="E10"/>'
        f"{rubric('B')}</Class>" + category("E10", above="E10-E14"),
        [],
    ),
    "only-valid": (
        chapter("", "E10")
        + category("E10", '<ModifiedBy code="M" all="false"><ValidModifierClass code=".1"/></ModifiedBy>'),
        ["E10.1"],
    ),
    "own-restriction-of-inherited": (
        chapter(ALL_M, "E10")
        + category("E10", '<ModifiedBy code="M" all="false"><ValidModifierClass code=".0"/></ModifiedBy>'),
        ["E10.0"],
    ),
    "none-valid": (chapter("", "E10") + category("E10", '<ModifiedBy code="M" all="false"/>'), []),
    "two-levels": (
        chapter("", "E10") + category("E10", '<ModifiedBy code="N"/>' + ALL_M),
        ["E10.0", "E10.00", "E10.1", "E10.10", "E10.11"],
    ),
    "written-out": (
        chapter(ALL_M, "E10") + category("E10", '<SubClass code="E10.0"/>') + category("E10.0", above="E10"),
        ["E10.0"],
    ),
    "extends-a-subcategory": (
        chapter("", "E10")
        + category("E10", '<ModifiedBy code="N"/><SubClass code="E10.5"/>')
        + category("E10.5", above="E10"),
        ["E10.5", "E10.50", "E10.51"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("version", ["2.0.0", "3.0.0"])
@pytest.mark.parametrize("rule", RULES)
def test_each_rule_of_modifiers_makes_its_codes(rule, version, tmp_path):
    body, wanted = RULES[rule]
    found = codes_below(read(tmp_path, M + N + body, version=version))
    assert [code for code in found if "." in code] == wanted
    for code in wanted:
        parent = code[:-1].rstrip(".")
        assert found[code] == parent


def test_a_made_code_has_a_title_that_is_clear_alone(tmp_path):
    entities = read(tmp_path, M + N + RULES["two-levels"][0]).entities.set_index("code")
    assert entities["title"]["E10.10"] == "Title E10: M.1: N0"
    assert entities["class_kind"]["E10.10"] == "category"
    assert entities["chapter"]["E10.10"] == "IV"
    assert entities["uri"]["E10.10"] == "http://id.who.int/icd/release/10/2019/E10.10"


def test_values_in_levels_make_codes_in_levels(tmp_path):
    values = M + (
        f'<ModifierClass code=".00" modifier="M"><SuperClass code=".0"/>{rubric("deeper")}</ModifierClass>'
        f'<ModifierClass code="5" modifier="M"><SuperClass code=".1"/>{rubric("longer")}</ModifierClass>'
    )
    found = codes_below(read(tmp_path, values + RULES["own"][0]))
    assert {code: found[code] for code in ("E10.00", "E10.15")} == {"E10.00": "E10.0", "E10.15": "E10.1"}


TEXTS = """
<Class code="A17.0" kind="category" usage="dagger"><Meta name="MortL1Code" value="1-006"/>
<Rubric kind="preferred"><Label xml:lang="en">Tuberculous meningitis
  <Reference class="in brackets" usage="aster" code="G01">G01*</Reference></Label></Rubric>
<Rubric kind="preferredLong">
  <Label xml:lang="en">Tuberculosis: B<Term class="subscript">12</Term> meningitis</Label></Rubric>
<Rubric kind="inclusion"><Label xml:lang="en"><Fragment type="list">Tuberculosis of meninges</Fragment>
  <Fragment type="list">(cerebral) (spinal)</Fragment></Label></Rubric>
<Rubric kind="exclusion"><Label xml:lang="en">other meningitis <Reference code="G01">G01*</Reference>
  <Reference>Q99.-</Reference></Label></Rubric>
<Rubric kind="exclusion"><Label xml:lang="en">anything else</Label></Rubric>
<Rubric kind="definition"><Label xml:lang="en"><Para>First.</Para><Para>Second.</Para></Label></Rubric>
<Rubric kind="note"><Label xml:lang="en">Note.</Label></Rubric>
<Rubric kind="coding-hint"><Label xml:lang="en">Hint.</Label></Rubric>
<Rubric kind="introduction"><Label xml:lang="en">Introduction.</Label></Rubric>
<Rubric kind="modifierlink"><Label xml:lang="en">See before.</Label></Rubric>
</Class>
<Class code="G01" kind="category" usage="aster">
<Rubric kind="preferred"><Label xml:lang="en">Meningitis</Label></Rubric></Class>
"""


def test_rubrics_become_texts_terms_and_references(tmp_path):
    tables = read(tmp_path, TEXTS)
    row = {name: column[0] for name, column in as_lists(tables.entities).items()}
    assert row["title"] == "Tuberculosis: B12 meningitis"
    assert row["definition"] == "First. Second."
    assert row["long_definition"] == "Introduction."
    assert row["coding_note"] == "Dagger code (†), used with G01.\nNote.\nHint."
    assert as_lists(tables.entities)["coding_note"][1] == "Asterisk code (*)."
    assert as_lists(tables.terms)["label"] == ["Tuberculosis of meninges (cerebral) (spinal)"]
    references = as_lists(tables.references)
    assert list(zip(references["label"], references["linearization_id"], strict=True)) == [
        ("other meningitis", "G01"), ("other meningitis", None), ("anything else", None),
    ]  # fmt: skip


def test_meta_values_stand_in_the_graph(tmp_path):
    path = tmp_path / "icd10.xml"
    path.write_text(claml(TEXTS), encoding="utf-8")
    graph, origin, _ = read_claml_graph(path)
    assert dict(graph.entities["A17.0"].extra) == {"MortL1Code": "1-006", "usage": "dagger"}
    assert (origin.classification, origin.release) == ("icd10", "2019")


def test_two_languages_in_one_rubric_stand_side_by_side(tmp_path):
    body = (
        f'<Class code="A00" kind="category"><Rubric kind="preferred">{label("Cholera")}{label("Choléra", "fr")}'
        f'</Rubric></Class><Class code="A01" kind="category">{rubric("Typhoid")}</Class>'
    )
    head = (
        '<Meta name="lang" value="fr"/><Identifier authority="ATIH" uid="x"/><Meta name="copyright" value="A nation"/>'
    )
    tables = read(tmp_path, body, head=head)
    columns = as_lists(tables.entities)
    assert tables.provenance.languages == ("fr", "en")
    assert (columns["title"], columns["translated"]) == (["Choléra", "Typhoid"], [True, False])
    assert columns["title_en"] == ["Cholera", "Typhoid"]
    assert tables.provenance.licence == "A nation"


def test_links_of_both_kinds_and_the_order_of_the_top_count(tmp_path):
    body = (
        f'<Class code="II" kind="chapter">{rubric("Two")}</Class>'
        f'<Class code="I" kind="chapter"><SubClass code="B00"/><SubClass code="A00"/><SubClass code="none"/>'
        f"{rubric('One')}</Class>"
        + category("A00", above="I")
        + category("B00", above="I")
        + category("C00", above="I")
    )
    tables = read(tmp_path, body, head='<Meta name="TopLevelSort" value="I II"/>')
    assert tables.entities["code"].tolist() == ["I", "B00", "A00", "C00", "II"]


@pytest.mark.parametrize("name", ["icd10.xml", "icd10.xml.gz", "icd10.zip"])
def test_packed_files_are_read(name, tmp_path):
    data = claml(TEXTS).encode()
    path = tmp_path / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("icd10.xml", data)
    else:
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    assert read_claml(path).entities["code"].tolist() == ["A17.0", "G01"]


WRONG = {
    "no-xml": ("x.xml", "ICD-10", "is no XML"),
    "another-root": ("x.xml", "<html/>", "is no ClaML, its root is <html>"),
    "no-class": ("x.xml", claml(""), "no Class elements"),
    "entities": ("x.xml", '<!DOCTYPE a [<!ENTITY b "bbb">]><ClaML/>', "defines entities of its own"),
    "no-zip": ("x.zip", "x", "damaged"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_claml_is_named(case, tmp_path):
    name, text, words = WRONG[case]
    (tmp_path / name).write_text(text)
    with pytest.raises(FileFormatError, match=words):
        read_claml(tmp_path / name)


@pytest.mark.slow
def test_claml_text_files_and_the_api_agree_on_the_hierarchy(tmp_path, monkeypatch):
    with Sandbox() as sandbox:
        monkeypatch.setenv("ICD_FILES_URL", sandbox.url)
        with icdframes.connect("files", cache_dir=tmp_path) as files:
            files._file_tables._told = True
            meta = files.load_tables(classification="icd10")
            with pytest.warns(ComparabilityWarning, match="is not the file that is known under this name"):
                path = files._release_files.get(claml_path("2019")).path
        with icdframes.connect(
            sandbox.url, token_url=sandbox.token_url, client_id=sandbox.client_id, client_secret=sandbox.client_secret,
            cache_dir=tmp_path / "api",
        ) as client:  # fmt: skip
            api = client.load_tables(classification="icd10")
    written = read_claml(path)
    same = ["entity_id", "code", "title", "class_kind", "depth", "parent_id", "n_children", "chapter", "uri"]
    for other in (meta, api):
        assert written.entities[same].equals(other.entities[same])
        assert written.edges.equals(other.edges)
    assert as_lists(written.terms)["label"] == [
        term for term, kind in zip(*(as_lists(api.terms)[name] for name in ("label", "kind")), strict=True)
        if kind == "inclusion"
    ]  # fmt: skip


@pytest.mark.full_size
def test_the_modifiers_of_another_program_are_read_as_it_reads_them(full_size):
    tables = read_claml(full_size / "claml" / "aehrc_modifiers-test.xml")
    made = [code for code in tables.entities["code"] if "M" in code]
    assert made == ["BM1", "BM2", "CM1", "DM1", "DM1N1", "DM2", "DM2N1", "DM2N2"]
    shared = read_claml(full_size / "claml" / "thehyve_test.xml")
    assert as_lists(shared.edges)["parent_id"].count("B") == 2
