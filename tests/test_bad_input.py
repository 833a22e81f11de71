"""Bad input gets one clear sentence: what, where, what to do next; and nothing changes on disk."""

import pandas as pd
import pytest

import icdframes
from icdframes import errors
from icdframes.cli.main import main

CASES = [
    # what is asked, the error, what the sentence must hold
    ({"entity": "1A0O"}, errors.EntityNotFoundError, ["'1A0O'", "Did you mean '1A00'?"]),
    ({"entity": "7A010"}, errors.EntityNotFoundError, ["'7A01.0'", "Did you mean '7A01'?"]),
    ({"entity": "ZZ99"}, errors.EntityNotFoundError, ["'ZZ99'", "mms 2024-01", "Search for"]),
    ({"entity": "999999999"}, errors.EntityNotFoundError, ["999999999", "another release"]),
    ({"entity": "257068234/other"}, errors.EntityNotFoundError, ["257068234/other"]),
    ({"entity": "1A00&XN62R"}, errors.CodeSyntaxError, ["cluster", "decode_codes()"]),
    ({"entity": "not a code!"}, errors.CodeSyntaxError, ["'not a code!'", "codes look like '1A00'"]),
    ({"entity": "b110"}, errors.EntityNotFoundError, ["'b110'", "classification 'icf'"]),
    ({"entity": "A00.9"}, errors.EntityNotFoundError, ["'A00.9'", "classification 'icd10'"]),
    ({"entity": "1A00", "classification": "icf"}, errors.EntityNotFoundError, ["'1A00'", "classification 'mms'"]),
    ({"entity": ["1A00", ["1A01"]]}, errors.CodeSyntaxError, ["one code such as"]),
    ({"entity": []}, errors.CodeSyntaxError, ["at least one"]),
    ({"entity": ""}, errors.CodeSyntaxError, ["names no entity"]),
    ({"entity": 1.5}, errors.CodeSyntaxError, ["names no entity"]),
    ({"entity": "1A00 " * 9000}, errors.CodeSyntaxError, ["44,999 characters", "Give one code"]),
    ({"entity": True}, errors.CodeSyntaxError, ["names no entity"]),
    ({"entity": "http://example.org/icd/entity/5"}, errors.CodeSyntaxError, ["no URI of the ICD API"]),
    ({"entity": "http://id.who.int/icd/release/11/2024-01/mms"}, errors.ConfigurationError, ["None for all"]),
    (
        {"entity": "http://id.who.int/icd/release/11/2024-01/icf/619527855"},
        errors.ConfigurationError,
        ["'icf', not 'mms'", "classification 'icf'"],
    ),
    (
        {"entity": "http://id.who.int/icd/release/11/2024-01/mms/257068234", "release": "2022-02"},
        errors.ConfigurationError,
        ["2024-01", "'2022-02'"],
    ),
    ({"entity": "1A00", "classification": "foundation"}, errors.CodeSyntaxError, ["ids and no codes"]),
    ({"entity": "1A00", "classification": "icd10"}, errors.CodeSyntaxError, ["'A00-A09'"]),
    ({"entity": "A99", "classification": "icd10"}, errors.EntityNotFoundError, ["'A99'", "icd10"]),
    (
        {"classification": "icd-11"},
        errors.ConfigurationError,
        ["'icd-11'", "mms, icf", "ICD-11 for statistics is 'mms'"],
    ),
    ({"release": "2024-02"}, errors.UnknownReleaseError, ["'2024-02'", "2024-01, 2022-02", "Did you mean"]),
    ({"release": "../../etc"}, errors.UnknownReleaseError, ["'../../etc'", "2024-01"]),
    ({"release": ""}, errors.ConfigurationError, ["release=''"]),
    ({"release": "2022-02", "classification": "icf"}, errors.UnknownReleaseError, ["icf", "2024-01"]),
    ({"language": "xx"}, errors.UnknownLanguageError, ["'xx'", "en, es, fr"]),
    ({"language": ["en", "no way"]}, errors.UnknownLanguageError, ["'no way'"]),
    ({"language": []}, errors.ConfigurationError, ["language=[]"]),
    ({"language": None}, errors.ConfigurationError, ["language=None", "'en'"]),
    ({"include": None}, errors.ConfigurationError, ["include=None", "'diagnosticCriteria'"]),
    ({"depth": -1}, errors.ConfigurationError, ["depth=-1", "leave it out for everything"]),
    ({"depth": "2"}, errors.ConfigurationError, ["depth='2'"]),
    ({"include": ["diagnosticcriteria"]}, errors.ConfigurationError, ["Did you mean 'diagnosticCriteria'?"]),
    ({"on_error": "ignore"}, errors.ConfigurationError, ["on_error='ignore'", "'raise' or 'warn'"]),
]


@pytest.mark.parametrize("asked,error,words", CASES, ids=lambda value: str(value)[:60])
def test_bad_input_is_answered_in_one_sentence_and_changes_nothing(icd_client, tmp_path, asked, error, words):
    before = sorted(path for path in tmp_path.rglob("*") if "icdframes-cache" not in str(path))
    with pytest.raises(error) as caught:
        icd_client.load_entity(**{"entity": "1A00", **asked} if "entity" not in asked else asked)
    message = str(caught.value)
    for word in words:
        assert word in message
    assert "\n" not in message
    assert sorted(path for path in tmp_path.rglob("*") if "icdframes-cache" not in str(path)) == before


def test_a_single_entity_includes_only_what_the_api_offers(icd_client):
    assert icd_client.entity("1A00", include="ancestor").ancestor_ids
    with pytest.raises(errors.ConfigurationError, match="Did you mean 'ancestor'"):
        icd_client.entity("1A00", include=["ancestors"])


def test_an_unknown_option_is_a_type_error_that_names_it(icd_client):
    with pytest.raises(TypeError, match="langauge"):
        icd_client.load_entity("1A00", langauge="en")


@pytest.mark.parametrize(
    "arguments,error,words",
    [
        ({"server": "whoo"}, errors.ConfigurationError, ["'whoo'", "Did you mean 'who'?"]),
        ({"server": "ftp://localhost"}, errors.ConfigurationError, ["https://"]),
        (
            {"server": "http://example.org", "token_url": "https://example.org/token"},
            errors.ConfigurationError,
            ["plain http"],
        ),
        (
            {"server": "https://example.org", "token_url": "http://example.org/token"},
            errors.ConfigurationError,
            ["plain http"],
        ),
        ({"server": "https://me:secret@example.org"}, errors.ConfigurationError, ["user name or password"]),
        ({"client_id": "only-the-id"}, errors.ConfigurationError, ["secret"]),
        ({"client_secret": "only-the-secret"}, errors.ConfigurationError, ["id"]),
        ({"verify": False}, errors.ConfigurationError, ["cannot be switched off"]),
        ({"server": 5}, errors.ConfigurationError, ["Unknown server '5'"]),
        ({"token_url": 5}, errors.ConfigurationError, ["'5' is no token URL"]),
        ({"server": "local", "profile": "../x", "client_id": None}, None, []),
    ],
    ids=str,
)
def test_a_connection_that_cannot_be_is_refused_before_any_request(arguments, error, words):
    if error is None:
        icdframes.connect(**arguments).close()
        return
    with pytest.raises(error) as caught:
        icdframes.connect(**arguments)
    for word in words:
        assert word in str(caught.value)
    assert "only-the-secret" not in str(caught.value)


_A_NUMBER = "cannot be: give a whole number"
_SECONDS = "cannot be: give seconds above 0, a day at most, or a pair of them (to connect, to read)."


@pytest.mark.parametrize(
    "option,values,words",
    [
        ("retries", ["3", None, -1, 1.5, True], f"{_A_NUMBER}, 0 or more."),
        ("max_workers", ["8", 0, 65, 2.0, True], f"{_A_NUMBER}, 1 to 64, or None to find the number."),
        (
            "cache_dir",
            [5, True, ["a"], b"a", 0, False, [], b""],
            "cannot be: give the path of a folder, or leave it out.",
        ),
        (
            "timeout",
            [None, "5", 0, -1, True, float("inf"), float("nan"), 1e300, (), (1,), (1, 2, 3), (5, None), (5, "5")],
            _SECONDS,
        ),
    ],
)
@pytest.mark.parametrize("server", ["sandbox", "local"])
def test_a_setting_that_cannot_be_says_what_to_give(server, option, values, words):
    for value in values:
        with pytest.raises(errors.ConfigurationError) as caught:
            icdframes.connect(server, **{option: value})
        assert str(caught.value) == f"{option}={value!r} {words}"


def test_numbers_of_numpy_are_numbers(tmp_path):
    import numpy as np

    settings = {"retries": np.int64(1), "max_workers": np.int64(2), "timeout": (np.float64(1), np.int64(2))}
    icdframes.connect("local", cache_dir=str(tmp_path), **settings).close()


@pytest.mark.parametrize(
    "draw,values",
    [
        ("rollup", {"min_count": ["5", 0, 1.5, True]}),
        ("plot_hierarchy", {"levels": ["2", 0, 1.5, None, True], "kind": ["iccle"]}),
        ("interactive_hierarchy", {"levels": ["2", 0, 1.5, None, True], "kind": ["iccle"]}),
    ],
)
def test_an_option_of_an_analysis_says_what_to_give(draw, values, icd_client):
    tables = icd_client.load_tables("1A00")
    data = [{"code": ["1A00"]}] if draw == "rollup" else []
    for option, wrong in values.items():
        for value in wrong:
            with pytest.raises(errors.ConfigurationError) as caught:
                getattr(icdframes, draw)(*map(pd.DataFrame, data), tables, **{option: value})
            assert str(caught.value).startswith(f"{option}={value!r} ")
            assert ("Did you mean 'icicle'?" if option == "kind" else _A_NUMBER) in str(caught.value)


def test_no_credentials_says_where_to_register_and_how_to_give_them(icd_sandbox, tmp_path):
    client = icdframes.connect(icd_sandbox.url, token_url=icd_sandbox.token_url, cache_dir=tmp_path)
    with client, pytest.raises(errors.CredentialsUnavailableError) as caught:
        client.load_entity("1A00")
    for word in ("https://icd.who.int/icdapi", "ICD_CLIENT_ID", "ICD_CLIENT_SECRET", "icdframes login"):
        assert word in str(caught.value)


def test_wrong_credentials_are_refused_in_plain_words(icd_sandbox, tmp_path):
    with (
        icdframes.connect(
            icd_sandbox.url,
            token_url=icd_sandbox.token_url,
            client_id="me",
            client_secret="wr0ng-secret",
            cache_dir=tmp_path,
        ) as client,
        pytest.raises(errors.CredentialsRejectedError) as caught,
    ):
        client.load_entity("1A00")
    assert "wr0ng-secret" not in str(caught.value)


@pytest.mark.parametrize(
    "arguments,words",
    [
        (["load"], ["Which entity?"]),
        (["load", "07", "--all"], ["not both"]),
        (["load", "1A0O"], ["Did you mean '1A00'?"]),
        (["load", "1A00", "--out", "x.docx"], ["x.docx", ".parquet"]),
        (["load", "1A00", "--out", "no/such/folder/x.csv"], ["no/such/folder"]),
        (["load", "1A00", "--out", "kept.csv"], ["kept.csv", "overwrite"]),
        (["load", "1A00", "--language", "xx"], ["'xx'"]),
        (
            ["annotate", "kept.csv", "--code", "mine", "--tables", "2024-01"],
            ["no file or folder 2024-01: check its name."],
        ),
        (["annotate", "kept.csv", "--code", "dx"], ["kept.csv", "'dx'", "it has mine"]),
        (
            ["compare", "old.zip", "2024-01", "--server", "sandbox"],
            ["no file or folder old.zip: check its name, or give a release"],
        ),
        (["compare", "2022-2", "2024-01", "--server", "sandbox"], ["'2022-2'", "Did you mean '2022-02'?"]),
        (["sandbox", "--corpus", "nowhere"], ["nowhere"]),
        (["sandbox", "--corpus", "kept.csv"], ["kept.csv"]),
        (["login", "--profile", "../x", "--forget"], ["../x"]),
    ],
    ids=" ".join,
)
def test_the_program_says_it_in_one_line_and_ends_with_1(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kept.csv").write_text("mine\n", encoding="utf-8")
    if arguments[0] == "load":
        arguments = [*arguments, "--server", "sandbox"]
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("icdframes: ")
    for word in words:
        assert word in err
    assert (tmp_path / "kept.csv").read_text(encoding="utf-8") == "mine\n"


@pytest.mark.parametrize(
    "arguments,words",
    [
        (["load", "--no-such-option"], ["icdframes load: error", "no option --no-such-option"]),
        (["load", "1A00", "--langage", "es"], ["--langage", "Did you mean '--language'?"]),
        (["load", "1A00", "--langage=es"], ["--langage", "Did you mean '--language'?"]),
        (["annotate", "mine.csv", "--cod", "dx"], ["--cod", "Did you mean '--code'?"]),
        (["lode", "1A00"], ["'lode'", "Did you mean 'load'?"]),
        (["completion", "bsh"], ["'bsh'", "Did you mean 'bash'?"]),
        (["load", "1A00", "1A01"], ["nothing to do with '1A01'"]),
        (["--verison"], ["no option --verison", "Did you mean '--version'?"]),
        (["--hepl", "load"], ["no option --hepl", "Did you mean '--help'?"]),
        (["-x"], ["no option -x."]),
        (["--server", "sandbox", "load", "07"], ["icdframes: error", "--server stands after the command"]),
        (["--classification=icf", "load"], ["--classification stands after the command"]),
        (["--classificaton=icf", "load"], ["no option --classificaton", "Did you mean '--classification'?"]),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_ends_with_2_and_names_the_likely_word(arguments, words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    for word in words:
        assert word in err
