"""The program ``icdframes``."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import icdframes
from icdframes.cli.main import build_parser, main
from icdframes.cli.options import spell_option
from icdframes.sandbox import Sandbox

COMMANDS = [command.prog.split()[-1] for command in build_parser().get_default("commands")]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ICD_SERVER", "sandbox")


@pytest.mark.parametrize("name", ["chapter.parquet", "chapter.csv"])
def test_load_writes_a_file_and_shows_the_first_rows(capsys, tmp_path, name):
    assert main(["load", "07", "--release", "2024-01", "--out", name]) == 0
    out, err = capsys.readouterr()
    assert "Sleep-wake disorders" in out
    assert f"86 rows written to {name}" in out
    assert "CC BY-ND 3.0 IGO" in out
    assert err == ""
    frame = icdframes.read_frame(tmp_path / name)
    assert len(frame) == 86
    assert frame.attrs["provenance"]["release"] == "2024-01"
    assert frame.code.iloc[0] == "07"


def test_overwrite_replaces_a_file(tmp_path):
    (tmp_path / "a.csv").write_text("old", encoding="utf-8")
    assert main(["load", "1A00", "--out", "a.csv", "--overwrite"]) == 0
    assert icdframes.read_frame(tmp_path / "a.csv").code.tolist() == ["1A00"]


def test_a_dash_writes_csv_to_standard_output(capsys):
    assert main(["load", "1A00", "--language", "en,es", "--out", "-"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.startswith("entity_id,code,title,")
    assert "Cólera" in row


def test_all_loads_a_whole_classification(capsys):
    assert main(["load", "--all", "--classification", "icd10", "--depth", "0"]) == 0
    assert "22 rows in all" in capsys.readouterr().out


def test_releases_lists_them(capsys):
    assert main(["releases"]) == 0
    out = capsys.readouterr().out
    assert "2024-01" in out
    assert "2022-02" in out


def test_status_tells_server_credentials_and_cache(capsys):
    assert main(["status", "--check"]) == 0
    out = capsys.readouterr().out
    assert "sandbox" in out
    assert "2024-01" in out
    assert main(["status", "--server", "who"]) == 0
    out = capsys.readouterr().out
    assert "https://id.who.int" in out
    assert "none found" in out


def test_login_tries_the_credentials_before_it_stores_them(capsys, monkeypatch, tmp_path):
    with Sandbox() as sandbox:
        where = ["--server", sandbox.url, "--token-url", sandbox.token_url, "--profile", "work"]
        monkeypatch.setattr("builtins.input", lambda _prompt: sandbox.client_id)
        monkeypatch.setattr("getpass.getpass", lambda _prompt: "wr0ng-secret")
        assert main(["login", *where]) == 1
        assert "wr0ng-secret" not in capsys.readouterr().err
        assert main(["status", *where]) == 0
        assert "none found" in capsys.readouterr().out
        monkeypatch.setattr("getpass.getpass", lambda _prompt: sandbox.client_secret)
        assert main(["login", *where]) == 0
        out, err = capsys.readouterr()
        assert "2024-01 is the newest release" in out
        assert "warning: No system keyring" in err
        assert sandbox.client_secret not in out + err
        assert main(["load", "1A00", *where]) == 0
        assert "Cholera" in capsys.readouterr().out
        assert main(["login", "--forget", "--profile", "work"]) == 0
        assert "forgotten" in capsys.readouterr().out


def test_the_cache_is_shown_and_emptied(capsys, tmp_path):
    cache = ["--cache-dir", str(tmp_path / "kept")]
    assert main(["load", "1A00", *cache]) == 0
    capsys.readouterr()
    assert main(["cache", "info", *cache]) == 0
    assert " 0 answers" not in capsys.readouterr().out
    assert main(["cache", "clear", *cache]) == 0
    assert " 0 answers" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert f"icdframes {command}" in capsys.readouterr().out.split("examples:")[1]


def test_help_and_version_load_neither_pandas_nor_widgets():
    script = """
import sys
from icdframes.cli.main import main
try:
    main(["--help"])
except SystemExit:
    print(sorted({"pandas", "ipywidgets", "requests"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def test_the_module_is_the_same_program_and_a_served_sandbox_answers(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "icdframes", "sandbox", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
        assert "sandbox-client" in line
        with icdframes.connect(
            url,
            token_url=f"{url}/connect/token",
            client_id="sandbox-client",
            client_secret="sandbox-secret",
            cache_dir=tmp_path,
        ) as client:
            assert client.load_entity("1A00").title.tolist() == ["Cholera"]
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_a_written_folder_can_be_served_again(tmp_path):
    with icdframes.connect("sandbox") as client:
        tables = client.load_tables("01", release="2024-01", language=["en", "es"])
    folder = tables.to_parquet(tmp_path / "chapter")
    from icdframes.sandbox import load_corpus

    with (
        Sandbox(load_corpus(folder), authenticate=False) as sandbox,
        icdframes.connect(sandbox.url, cache_dir=tmp_path / "c") as client,
    ):
        again = client.load_tables("01", release="2024-01", language=["en", "es"])
    for name in ("entities", "edges", "terms", "references", "axes"):
        left, right = getattr(tables, name).copy(), getattr(again, name).copy()
        left.attrs = right.attrs = {}
        pd.testing.assert_frame_equal(left, right)


def test_annotate_adds_titles_to_a_file_of_your_own(tmp_path, capsys):
    (tmp_path / "mine.csv").write_text("id,dx\n1,1A00\n2,nonsense\n3,7A00\n", encoding="utf-8")
    assert main(["annotate", "mine.csv", "--code", "dx", "--add", "title,chapter", "--out", "out.csv"]) == 0
    frame = icdframes.read_frame(tmp_path / "out.csv")
    assert frame.chapter.fillna("-").tolist() == ["01", "-", "07"]
    assert frame.match.tolist() == ["exact", "unknown", "exact"]
    assert "unknown" in capsys.readouterr().err
    assert main(["annotate", "mine.csv", "--code", "diagnosis"]) == 1
    assert "it has id, dx" in capsys.readouterr().err


@pytest.mark.slow
def test_compare_shows_what_changed(tmp_path, capsys):
    assert main(["compare", "2022-02", "2024-01", "--out", "changes.csv"]) == 0
    changes = icdframes.read_frame(tmp_path / "changes.csv")
    assert {"added", "removed", "retitled", "recoded", "moved", "kind_changed"} <= set(changes.change)
    assert "retitled" in capsys.readouterr().err


def test_map_translates_a_column(tmp_path, capsys):
    header = (
        "10ClassKind\t10DepthInKind\ticd10Code\ticd10Chapter\ticd10Title\t11ClassKind\t11DepthInKind\t"
        "ICD-11 FoundationURI\tLinearization (releaseURI)\ticd11Code\ticd11Chapter\ticd11Title\t2024-Jan-21\n"
    )
    row = (
        "category\t1\tA00\tI\tCholera\tcategory\t1\thttp://id.who.int/icd/entity/257068234\t"
        "http://id.who.int/icd/release/11/2024-01/mms/257068234\t1A00\t01\tCholera\t\n"
    )
    (tmp_path / "10To11MapToOneCategory.txt").write_text(header + row, encoding="utf-8")
    (tmp_path / "mine.csv").write_text("dx\nA00\nZ99\n", encoding="utf-8")
    arguments = ["map", "mine.csv", "--code", "dx", "--mapping", "10To11MapToOneCategory.txt", "--out", "-"]
    assert main(arguments) == 0
    assert "1A00" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("out", ["x.csv", "-"])
def test_formulas_are_defused_on_the_way_out(out, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("mine.csv").write_text("=id,dx\n+1,1A00\n", encoding="utf-8")
    command = ["annotate", "mine.csv", "--code", "dx", "--release", "2024-01", "--safe-for-spreadsheets", "--out", out]
    assert main(command) == 0
    written = capsys.readouterr().out if out == "-" else Path(out).read_text(encoding="utf-8")
    header, row = (line.replace('"', "").split(",")[:2] for line in written.splitlines()[:2])
    assert (header, row) == (["'=id", "dx"], ["'+1", "1A00"])


def test_the_doctor_finds_nothing_wrong_with_the_sandbox(capsys):
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["ok", name] for name in ("versions", "optional", "cache", "credentials", "server", "clock", "sign-in")
    ]
    assert "plotly" in lines[1]
    assert "2024-01 is the newest release" in lines[-1]


def test_the_doctor_says_what_is_wrong_and_does_not_try_what_hangs_on_it(capsys, tmp_path):
    assert main(["doctor", "--server", "http://127.0.0.1:9", "--cache-dir", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert "WRONG  server       No complete answer from 127.0.0.1:9" in out
    assert "-      clock        not tried" in out
    assert "-      sign-in      not tried" in out
    assert "1 of 7 checks failed" in err


def test_without_credentials_the_doctor_still_looks_whether_server_and_clock_are_right(
    capsys, tmp_path, icd_sandbox, monkeypatch
):
    for name in ("ICD_CLIENT_ID", "ICD_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    command = ["doctor", "--server", icd_sandbox.url, "--token-url", icd_sandbox.token_url]
    assert main([*command, "--cache-dir", str(tmp_path)]) == 1
    out, _err = capsys.readouterr()
    assert out.count("WRONG") == 1
    assert "WRONG  credentials" in out
    assert f"ok     server       {icd_sandbox.url} answers" in out
    assert "ok     clock" in out
    assert "-      sign-in      not tried" in out


def test_offline_the_doctor_asks_nobody(capsys):
    assert main(["doctor", "--offline"]) == 0
    assert capsys.readouterr().out.count("not tried") == 3


def test_a_wrong_clock_is_noticed(capsys, monkeypatch):
    monkeypatch.setattr("icdframes.transport.session.ApiSession.clock_lead", 3600.0)
    assert main(["doctor"]) == 1
    assert "+3600 s off" in capsys.readouterr().out


@pytest.mark.parametrize(
    "typed,offered",
    [
        (["lo"], ["load", "lookup", "login"]),
        (["load", "--cl"], ["--classification"]),
        (["load", "--server", "sandbox", "--re"], ["--release", "--refresh"]),
        (["completion", "z"], ["zsh"]),
    ],
    ids=" ".join,
)
def test_a_shell_completes_commands_options_and_choices(typed, offered, capsys, tmp_path):
    assert main(["completion", "bash"]) == 0
    (tmp_path / "icdframes.bash").write_text(capsys.readouterr().out, encoding="utf-8")
    words = ["icdframes", *typed]
    script = (
        f"source icdframes.bash; COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(typed)}; "
        f"_shtab_icdframes icdframes {words[-1]} {words[-2]}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == offered


@pytest.mark.parametrize("shell,word", [("zsh", "--classification"), ("tcsh", "annotate")])
def test_other_shells_get_a_script_too(shell, word, capsys):
    assert main(["completion", shell]) == 0
    assert word in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_says_what_it_is_for(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    listed = capsys.readouterr().out.split("options:")[1].split("examples:")[0]
    options = re.findall(r"^  (--.*?)(?=^  -|^\S|\Z)", listed, re.MULTILINE | re.DOTALL)
    bare = [option for option in options if not re.search(r"\s{2,}\S", option)]
    assert bare == []


def test_the_bare_program_lists_its_commands(capsys):
    assert main([]) == 2
    out = capsys.readouterr().out
    assert [command for command in COMMANDS if f"\n    {command}" not in out] == []


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["search", "cholera"], "1A00"),
        (["describe", "1A00", "ZZ99"], "Cholera"),
        (["lookup", "257068234"], "1A00"),
    ],
)
def test_words_and_codes_are_found_in_a_terminal(arguments, shown, capsys):
    assert main(arguments) == 0
    narrow = capsys.readouterr().out
    assert shown in narrow
    assert max(map(len, narrow.splitlines())) <= 160
    assert main([*arguments, "--wide"]) == 0
    assert "uri" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["describe", "lookup"])
def test_a_script_learns_that_nothing_was_found(verb, capsys):
    assert main([verb, "ZZ99"]) == 1
    shown = capsys.readouterr()
    assert shown.out.splitlines()[-1].startswith("ZZ99: ")
    assert "Nothing is known of ZZ99" in shown.err


@pytest.mark.parametrize("columns", [70, 80])
def test_a_table_is_as_wide_as_the_terminal_and_no_code_is_cut(columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["load", "MG50", "--release", "2024-01"]) == 0
    table = capsys.readouterr().out.partition("\n… ")[0]
    assert max(map(len, table.splitlines())) <= columns
    assert "MG50.22" in table
    assert "…" in table
    cluster = "1A00&XN8P1&XN62R&XN8KD/5A11&XS25&XT5R&XT8W/BA00&XS25/CA40.0&XN3NM&XN6P4"
    assert main(["describe", "1A00", cluster]) == 0
    assert cluster in capsys.readouterr().out


def test_unknown_codes_are_reported_with_the_size_of_the_sample(tmp_path, capsys):
    Path("codes.csv").write_text("code\n1A00\nDB94\n", encoding="utf-8")
    assert main(["annotate", "codes.csv"]) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("The sandbox serves a small sample of 913 entities")
    assert [line.split() for line in told[1:]] == [
        ["match", "n_rows", "n_codes", "examples"],
        ["exact", "1", "1", "1A00"],
        ["unknown", "1", "1", "DB94"],
    ]


def test_input_that_ends_is_one_line(capsys, monkeypatch):
    def end(_prompt):
        raise EOFError

    monkeypatch.setattr("builtins.input", end)
    assert main(["login"]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("icdframes: the input ended")


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_csv_of_another_country_is_annotated_and_written_as_it_came(encoding, tmp_path):
    (tmp_path / "deaths.csv").write_bytes("dx;edad;región\n1A00;4,5;León\n".encode(encoding))
    assert main(["annotate", "deaths.csv", "--code", "dx", "--add", "title", "--out", "out.csv"]) == 0
    text = (tmp_path / "out.csv").read_bytes().decode("utf-8-sig")
    assert text.splitlines()[0].startswith('"dx";"edad";"región";')
    assert icdframes.read_frame(tmp_path / "out.csv")["edad"].tolist() == ["4,5"]


@pytest.mark.parametrize(
    "command", [["annotate"], ["check"], ["map", "--mapping", "10To11MapToOneCategory.txt"]], ids=lambda words: words[0]
)
def test_every_command_with_a_file_of_yours_takes_its_separator_and_encoding(command):
    options = build_parser().parse_args([command[0], "x.csv", *command[1:], "--sep", ";", "--encoding", "cp1252"])
    assert (options.sep, options.encoding, options.code) == (";", "cp1252", "code")


def test_check_reads_a_csv_of_another_country(tmp_path, capsys):
    (tmp_path / "deaths.csv").write_bytes("dx;región\n1A00;León\nZZZZ;Ávila\n".encode("cp1252"))
    assert main(["check", "deaths.csv", "--code", "dx", "--out", "-"]) == 0
    assert "1 valid" in capsys.readouterr().err


@pytest.mark.slow
def test_separator_and_encoding_may_be_given(tmp_path, capsys):
    (tmp_path / "deaths.txt").write_bytes("dx|ville\n1A00|Łódź\n".encode("cp1250"))
    command = ["annotate", "deaths.txt", "--code", "dx", "--sep", "|", "--encoding", "cp1250", "--add", "title"]
    assert main([*command, "--out", "out.csv"]) == 0
    assert '"1A00"|"Łódź"|' in (tmp_path / "out.csv").read_text(encoding="cp1250")
    assert main([*command[:4], "--encoding", "cp99"]) == 1
    assert "encoding" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("target", ["out.xlsx", "out.tsv", "out.csv"])
def test_a_spreadsheet_is_annotated_and_written(target, tmp_path):
    pd.DataFrame({"dx": ["1A00", None], "age": [45, 46]}).to_excel(tmp_path / "deaths.xlsx", index=False)
    assert main(["annotate", "deaths.xlsx", "--code", "dx", "--add", "title", "--out", target]) == 0
    frame = icdframes.read_frame(tmp_path / target)
    assert frame["age"].tolist() == ["45", "46"]
    assert frame["title"].tolist()[0] == "Cholera"


def test_a_column_in_another_case_is_hinted(tmp_path, capsys):
    (tmp_path / "deaths.csv").write_text("Dx,age\n1A00,3\n", encoding="utf-8")
    assert main(["annotate", "deaths.csv", "--code", "dx"]) == 1
    assert "Did you mean 'Dx'?" in capsys.readouterr().err


def test_a_message_of_the_server_is_shown_in_full_below_the_table(capsys):
    assert main(["describe", "1A00", "DB94", "--release", "2024-01"]) == 0
    out = capsys.readouterr().out
    assert "message" not in out.splitlines()[0]
    assert [line for line in out.splitlines() if line.startswith("DB94: ") and line.endswith("WHO may have it.")]


def test_an_option_of_one_letter_is_spelled_with_one_hyphen():
    assert (spell_option("n", 0), spell_option("min_score", 2)) == ("-n 0", "--min-score 2")


@pytest.mark.slow
def test_releases_that_are_the_same_are_said_to_be_so_once(capsys):
    assert main(["compare", "2022-02", "2022-02"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[1:] == ["Nothing changed between 2022-02 and 2022-02."]


@pytest.mark.parametrize(
    "command,code,said",
    [
        (["search", " "], 1, "Which words? Give them after the command"),
        (["load", "1A00", "--depth", "two"], 2, "argument --depth: 'two' is no whole number"),
        (["load", "1A00,7A00"], 1, "holds 2 codes, 1A00, 7A00: give one of them."),
        (["load", "I10"], 1, "a code of the classification 'icd10': give that one."),
        (["annotate", "list.csv", "--sep", "ab"], 1, "icdframes: --sep ab is no separator: give one character"),
        (["annotate", "list.csv", "--encoding", "x"], 1, "icdframes: --encoding x is unknown: give utf-8"),
        (["codelist", "check", "list.json"], 1, "give a list that to_json wrote, or a FHIR ValueSet."),
    ],
)
def test_what_was_typed_wrong_is_said_with_the_way_out(command, code, said, capsys):
    Path("list.json").write_text("{", encoding="utf-8")
    Path("list.csv").write_text("text\ncholera\n", encoding="utf-8")
    try:
        ended = main(command)
    except SystemExit as stopped:
        ended = stopped.code
    assert ended == code
    assert said in capsys.readouterr().err


def test_a_reason_names_its_value_once(capsys):
    assert main(["describe", "ZZ99"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("ZZ99: 'Z' at character 1 does not fit")


def test_more_hits_than_come_are_told_in_words_of_the_shell(capsys):
    assert main(["search", "sleep"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("for 'sleep': use more words.")
