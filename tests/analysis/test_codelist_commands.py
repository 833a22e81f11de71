import pandas as pd
import pytest

import icdframes
from icdframes.cli.main import main


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ICD_SERVER", "sandbox")


@pytest.fixture
def sleep():
    """Write a list into the folder."""
    made = icdframes.CodeList(["07"], ["7A01"], name="sleep", authors="A. Author", release="2022-02")
    made.to_json("sleep.json")
    return made


@pytest.mark.slow
def test_expand_writes_the_codes_and_cites_them(sleep, capsys):
    assert main(["codelist", "expand", "sleep.json", "--out", "codes.csv"]) == 0
    told = capsys.readouterr()
    assert "A. Author. sleep: code list for mms release 2022-02" in told.err
    tables = icdframes.connect("sandbox").load_tables(release="2022-02")
    assert icdframes.read_frame("codes.csv")["code"].tolist() == sleep.codes(tables)["code"].tolist()


@pytest.mark.slow
def test_check_tells_what_becomes_of_each_rule(sleep, capsys):
    assert main(["codelist", "check", "sleep.json", "--release", "2024-01"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "7A01" in lines[2]
    assert lines[2].endswith("ok")


@pytest.mark.slow
def test_move_writes_the_list_for_the_next_release(sleep, capsys):
    assert (
        main(["codelist", "move", "sleep.json", "--release", "2024-01", "--list", "new.json", "--out", "changes.csv"])
        == 0
    )
    assert icdframes.read_codelist("new.json").release == "2024-01"
    assert "new.json" in capsys.readouterr().out
    assert set(icdframes.read_frame("changes.csv")["change"]) <= {
        "added",
        "removed",
        "entered",
        "left",
        "recoded",
        "retitled",
    }
    assert main(["codelist", "move", "sleep.json", "--list", "new.json"]) == 1
    assert "exists" in capsys.readouterr().err


@pytest.mark.slow
def test_a_plain_table_stands_for_codes_or_for_branches(capsys, tmp_path):
    (tmp_path / "list.csv").write_text("code\n7A00\n1A00\n", encoding="utf-8")
    assert main(["codelist", "expand", "list.csv", "--release", "2024-01", "--out", "-"]) == 0
    alone = len(capsys.readouterr().out.splitlines())
    (tmp_path / "list.csv").write_text("code\n07\n", encoding="utf-8")
    assert main(["codelist", "expand", "list.csv", "--branches", "--release", "2024-01", "--out", "-"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > alone == 3
    assert main(["codelist", "move", "list.csv"]) == 1
    assert "--from" in capsys.readouterr().err


@pytest.mark.slow
def test_codes_of_a_file_are_checked_once_each(capsys):
    pd.DataFrame({"dx": ["1A00", "1A00", "1A00&XK8G", "9A00", None]}).to_csv("codes.csv", index=False)
    assert main(["check", "codes.csv", "--code", "dx", "--release", "2024-01", "--others", "2022-02"]) == 0
    told = capsys.readouterr()
    assert told.out.count("1A00") >= 2
    assert told.err.splitlines()[-1] == "1 valid; 2 not valid; 0 not checked"
