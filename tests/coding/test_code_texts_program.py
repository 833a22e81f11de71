"""``icdframes code-texts``."""

import pandas as pd
import pytest

import icdframes
from icdframes.cli.main import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    icdframes.connect("sandbox").load_tables("1A00", release="2024-01").to_csv(tmp_path / "tables")
    (tmp_path / "notes.csv").write_text("dx,age\ncholera,3\n,4\nzzzqq,5\n")
    return tmp_path


def test_a_column_is_coded_and_a_review_sheet_written(folder, capsys):
    command = ["code-texts", "notes.csv", "--column", "dx", "--tables", "tables", "--out", "coded.csv"]
    assert main([*command, "--review", "review.xlsx"]) == 0
    coded = icdframes.read_frame(folder / "coded.csv")
    assert coded["row"].tolist() == [1, 2, 3]
    assert coded["code"].fillna("").tolist() == ["1A00", "", ""]
    assert "3 texts: 1 with a proposal, 2 to be reviewed" in capsys.readouterr().err
    sheet = pd.read_excel(folder / "review.xlsx", engine="openpyxl")
    assert {"text", "code", "note", "candidate_1", "candidate_5"} <= set(sheet)


def test_a_dictionary_is_used_and_a_missing_column_named(folder, capsys):
    (folder / "mine.csv").write_text("text,code\nzzzqq,1A00\n")
    command = ["code-texts", "notes.csv", "--tables", "tables", "--out", "-", "-n", "1"]
    assert main([*command, "--column", "dx", "--dictionary", "mine.csv"]) == 0
    assert "zzzqq" in capsys.readouterr().out
    assert main(command) == 1
    assert "no column 'text': name one with --column" in capsys.readouterr().err


def test_the_review_sheet_is_another_file(folder, capsys):
    command = ["code-texts", "notes.csv", "--column", "dx", "--tables", "tables", "--out", "a.csv"]
    assert main([*command, "--review", "a.csv"]) == 1
    assert "--review" in capsys.readouterr().err
