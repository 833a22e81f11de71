"""What the program says can be typed: it names its own options, and nothing that only Python has."""

import re
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import icdframes
from icdframes.cli.main import main
from icdframes.cli.options import spell_option
from icdframes.sandbox import Sandbox

PYTHON_WORDS = re.compile(r"=True|=None|='|=\[|=\.\.\.|\(\)|\bNone\b|connect\(|pandas\.")
MMS = "http://id.who.int/icd/release/11/2024-01/mms"

SAID = [
    (["load", "1A00", "--out", "kept.csv"], "kept.csv exists already: give --overwrite to replace it"),
    (["load", "1A00", "--offline", "--cache-dir", "empty"], "ask for it once without --offline, then it is there."),
    (["load", "ZZ99"], "No code 'ZZ99' in mms 2024-01. Search for its title"),
    (["load", "1A00&XN62R"], "'1A00&XN62R' is a cluster of several codes: load one of them."),
    (["load", ""], "--all loads the whole classification."),
    (["load", "b110"], "a code of the classification 'icf': give that one."),
    (["load", MMS], "give --all and --classification mms."),
    (["load", MMS.replace("mms", "icf/619527855")], "not 'mms': give the classification 'icf'."),
    (["load", f"{MMS}/257068234", "--release", "2022-02"], "but the release '2022-02' was given"),
    (["load", "999999999"], "or try another release or the classification 'foundation'."),
    (["load", "http://id.who.int/icd/entity/1301318821"], "the classification 'foundation'."),
    (["load", "1A00", "--classification", "foundation"], "or load the code from the classification 'mms'"),
    (["load", "1A00", "--depth", "-1"], "--depth -1 cannot be: give 0 (the entity alone), 1, 2, … or leave it out"),
    (["load", "1A00", "--release", ""], "--release '' cannot be: give an id such as '2024-01', or leave it out"),
    (["load", "1A00", "--language", "en,"], "--language en, cannot be: give a code such as 'en', or several."),
    (["load", "1A00", "--include", "diag"], "--include diag is unknown: give 'diagnosticCriteria'."),
    (["load", "1A00", "--on-error", "ignroe"], "--on-error ignroe is unknown: give 'raise' or 'warn'."),
    (
        ["load", "1A00", "--server", "who"],
        "`icdframes login` in a terminal, or set the variables",
    ),
    (["load", "1A00", "--server", "who"], "--server sandbox for the built-in sample"),
    (["load", "1A00", "--server", "https://me:secret@example.org"], "with `icdframes login`."),
    (
        ["load", "1A00", "--server", "http://example.org", "--token-url", "https://example.org/t"],
        "or name no token URL",
    ),
    (["login", "--server", "who"], "The client id is empty"),
    (
        ["cache", "info", "--cache-dir", "kept.csv"],
        "as the cache folder or in ICDFRAMES_CACHE_DIR.",
    ),
    (["releases", "--classification", "icd"], "Unknown classification 'icd'"),
    (["sandbox", "--port", "70000"], "--port 70000 cannot be"),
    (["sandbox", "--corpus", "empty"], "empty is no folder of tables"),
    (
        ["annotate", "mine.csv", "--tables", "small", "--unknown", "flga"],
        "--unknown flga is unknown: give 'flag', 'raise' or 'drop'.",
    ),
    (["annotate", "mine.csv", "--tables", "small", "--unknown", "raise"], "keep ('flag') or drop ('drop') such rows."),
    (["annotate", "mine.csv", "--tables", "small", "--add", "titel"], "--add titel is unknown: give "),
    (["annotate", "mine.csv", "--tables", "small", "--add", "code,code"], "--add code is given twice: leave one out."),
    (
        ["annotate", "numbers.parquet", "--tables", "small"],
        "are lost: keep the column as text in the file.",
    ),
    (["annotate", "mine.csv", "--tables", "empty"], "empty is no folder of tables"),
    (["map", "mine.csv", "--mapping", "two.zip"], "two.zip holds 2 tables. Name one of them as the table: aMap, bMap."),
    (["compare", "", "2024-01"], "Which releases?"),
]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    with icdframes.connect("sandbox") as client:
        return client.load_tables("1A00").to_parquet(tmp_path_factory.mktemp("tables") / "small")


@pytest.fixture
def _some_files(tmp_path, monkeypatch, small):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ICD_SERVER", "sandbox")
    monkeypatch.setattr("builtins.input", lambda _prompt: "")
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "")
    Path("kept.csv").write_text("mine\n", encoding="utf-8")
    Path("mine.csv").write_text("code\nnonsense\n", encoding="utf-8")
    pd.DataFrame({"code": [1.5]}).to_parquet("numbers.parquet")
    Path("empty").mkdir()
    shutil.copytree(small, "small")
    with zipfile.ZipFile("two.zip", "w") as archive:
        archive.writestr("aMap.txt", "a")
        archive.writestr("bMap.txt", "b")


@pytest.mark.usefixtures("_some_files")
@pytest.mark.parametrize("arguments,words", SAID, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_a_message_of_the_program_can_be_typed(arguments, words, capsys):
    main(arguments)
    err = capsys.readouterr().err
    assert words in err
    assert not PYTHON_WORDS.search(err), err


@pytest.mark.slow
@pytest.mark.usefixtures("_some_files")
@pytest.mark.parametrize("arguments", [["load", "07"], ["annotate", "mine.csv"], ["compare", "2024-01", "2022-02"]])
def test_what_to_do_about_missing_entities_is_told_where_the_program_can_do_it(arguments, capsys):
    with Sandbox(authenticate=False) as sandbox:
        sandbox.fail(f"{MMS.removeprefix('http://id.who.int')}/1038292737", status=400, times=None)
        assert main([*arguments, "--server", sandbox.url]) == 1
    err = capsys.readouterr().err
    assert "could not be loaded" in err
    assert ("or give --on-error warn" in err) == (arguments[0] == "load")
    assert not PYTHON_WORDS.search(err), err
    assert "attribute" not in err


@pytest.mark.usefixtures("_some_files")
def test_a_warning_can_be_typed_too(capsys):
    with Sandbox(authenticate=False) as sandbox:
        sandbox.fail("*/mms/1038292737", status=400, times=None)
        assert main(["load", "07", "--server", sandbox.url, "--on-error", "warn"]) == 0
    err = capsys.readouterr().err
    assert "warning: 1 entities could not be loaded" in err
    assert "tables.failures" not in err


@pytest.mark.usefixtures("_some_files")
def test_a_server_that_wants_a_token_leads_to_the_option(capsys):
    with Sandbox() as sandbox:
        assert main(["load", "07", "--server", sandbox.url]) == 1
    assert "has none: give --token-url." in capsys.readouterr().err


def test_python_users_keep_their_words(icd_client, tmp_path):
    frame = icd_client.load_entity("1A00")
    icdframes.to_csv(frame, tmp_path / "a.csv")
    with pytest.raises(icdframes.errors.ExportError, match="give overwrite=True"):
        icdframes.to_csv(frame, tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "value", "typed"),
    [
        ("depth", -1, "--depth -1"),
        ("on_error", "ignore it", "--on-error 'ignore it'"),
        ("language", ["en", "es"], "--language en,es"),
        ("refresh", True, "--refresh"),
    ],
)
def test_an_option_is_spelled_as_it_is_typed(name, value, typed):
    assert spell_option(name, value) == typed
