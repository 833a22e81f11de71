from __future__ import annotations

import copy
import dataclasses
import json
import pickle

import pytest

import icdframes
from icdframes.errors import REGISTER_URL, ConfigurationError, CredentialStorageWarning, CredentialsUnavailableError
from icdframes.transport.profiles import find_credentials, save_profile
from icdframes.transport.secrets import Credentials, Secret, Token, mask_secret

SECRET = "s3cret-of-mine"


def test_credentials_never_show_the_secret():
    mine = Credentials("client-id-0123", SECRET)
    assert SECRET not in f"{mine} {mine!r} {mine.masked_id} {[mine]}"
    assert "client-id" not in repr(mine)
    assert mine.masked_id == "…0123"
    with pytest.raises(TypeError):
        vars(mine)


def test_a_secret_is_its_text_wherever_it_is_sent_or_stored_and_hidden_wherever_it_is_looked_at():
    secret = Secret(f" {SECRET}\n").strip()
    assert SECRET not in f"{secret!r} {[secret]} {(secret,)} { {'secret': secret} } {secret.strip('s')!r}"
    assert (secret, hash(secret), len(secret)) == (SECRET, hash(SECRET), len(SECRET))
    assert (type(str(secret)), str(secret), f"{secret}", secret.encode()) == (str, SECRET, SECRET, SECRET.encode())
    assert json.loads(json.dumps({"secret": secret})) == {"secret": SECRET}
    assert isinstance(Credentials("client-id-0123", SECRET).client_secret, Secret)
    for copier in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            copier(secret)


@pytest.mark.parametrize(("given", "hidden"), [(None, None), (SECRET, SECRET), (b"s3cret", bytes), (bytes, bytes)])
def test_what_is_hidden_is_still_text_or_tells_its_type(given, hidden):
    assert mask_secret(given) == mask_secret(mask_secret(given)) == hidden
    assert "s3cret" not in repr(mask_secret(given))


@pytest.mark.parametrize("value", [Credentials("client-id-0123", SECRET), Token(SECRET, 5.0)])
def test_a_secret_is_neither_pickled_nor_copied_nor_changed(value):
    for copier in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            copier(value)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, dataclasses.fields(value)[0].name, "x")
    assert SECRET not in repr(value)


def test_a_short_client_id_is_masked_altogether():
    assert Credentials("abcd", SECRET).masked_id == "…"


def test_blanks_around_pasted_values_are_cut_off():
    assert Credentials(" id\n", "\tsecret\u00a0 ") == Credentials("id", "secret")


@pytest.mark.parametrize("pair", [("", "x"), ("x", "  ")])
def test_an_empty_half_is_refused(pair):
    with pytest.raises(ConfigurationError, match="is empty"):
        Credentials(*pair)


def test_arguments_come_before_the_environment_and_that_before_a_profile(monkeypatch, memory_keyring):
    save_profile("default", Credentials("profile-id", "p"))
    assert find_credentials().client_id == "profile-id"
    monkeypatch.setenv("ICD_CLIENT_ID", " env-id ")
    monkeypatch.setenv("ICD_CLIENT_SECRET", "e")
    assert find_credentials() == Credentials("env-id", "e")
    assert find_credentials("arg-id", "a") == Credentials("arg-id", "a")


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        ({"client_id": "x"}, {}, "client_id is given, but client_secret is missing"),
        ({"client_secret": SECRET}, {}, "client_secret is given, but client_id is missing"),
        ({"client_id": "x", "client_secret": " "}, {}, "client_secret is missing"),
        ({"client_id": 12, "client_secret": SECRET}, {}, "client_id must be text, not int"),
        ({"client_id": "x", "client_secret": SECRET.encode()}, {}, "client_secret must be text, not bytes"),
        ({}, {"ICD_CLIENT_ID": "x"}, "ICD_CLIENT_ID is given, but ICD_CLIENT_SECRET is missing"),
        ({}, {"ICD_CLIENT_SECRET": SECRET}, "ICD_CLIENT_SECRET is given, but ICD_CLIENT_ID is missing"),
    ],
)
def test_a_half_given_pair_names_the_missing_half(monkeypatch, arguments, environment, words):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=words) as caught:
        find_credentials(**arguments)
    assert SECRET not in str(caught.value)


def test_where_there_are_none_the_error_says_where_to_register_and_how_to_give_them():
    with pytest.raises(CredentialsUnavailableError) as caught:
        find_credentials()
    for words in (REGISTER_URL, "ICD_CLIENT_ID", "ICD_CLIENT_SECRET", "login()", "icdframes login", "sandbox", "local"):
        assert words in str(caught.value)


def test_an_unknown_profile_names_the_known_ones():
    with pytest.warns(CredentialStorageWarning):
        save_profile("institute", Credentials("x", "y"))
    with pytest.raises(CredentialsUnavailableError, match=r"only institute\. Did you mean 'institute'\?"):
        find_credentials(profile="institut")


OTHERS = "https://icd.example.org/connect/token"


def _stored(_monkeypatch):
    save_profile("default", Credentials("stored-id", SECRET))
    return "stored as profile 'default'"


def _in_environment(monkeypatch):
    monkeypatch.setenv("ICD_CLIENT_ID", "env-id")
    monkeypatch.setenv("ICD_CLIENT_SECRET", SECRET)
    return "in ICD_CLIENT_ID"


@pytest.mark.parametrize("keep", [_stored, _in_environment])
def test_a_key_for_who_is_sent_to_no_other_token_url(monkeypatch, memory_keyring, wire, keep):
    whose = keep(monkeypatch)
    client = icdframes.connect(wire.url, token_url=f"{wire.url}/connect/token", retries=0)
    with pytest.raises(CredentialsUnavailableError, match=whose) as caught:
        client.newest_release()
    assert wire.seen == []
    for words in ("icdaccessmanagement.who.int", wire.url, "--token-url", "client_id and client_secret"):
        assert words in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_token_url_of_the_environment_takes_no_stored_key(monkeypatch, memory_keyring, wire):
    save_profile("default", Credentials("stored-id", SECRET))
    monkeypatch.setenv("ICD_SERVER", wire.url)
    monkeypatch.setenv("ICD_TOKEN_URL", f"{wire.url}/connect/token")
    with pytest.raises(CredentialsUnavailableError, match="stored as profile 'default' is for https://icdaccess"):
        icdframes.connect(retries=0).newest_release()
    assert wire.seen == []


@pytest.mark.parametrize("spelt", [OTHERS, f"{OTHERS}/", OTHERS.replace("icd.example", "ICD.Example")])
def test_a_key_is_used_where_it_belongs(monkeypatch, memory_keyring, spelt):
    save_profile("ours", Credentials("our-id", "o"), OTHERS)
    save_profile("default", Credentials("stored-id", "s"))
    assert find_credentials(profile="ours", token_url=spelt).client_id == "our-id"
    assert find_credentials().client_id == "stored-id"
    with pytest.raises(CredentialsUnavailableError, match=f"is for {OTHERS}, so it is not sent to https://icdaccess"):
        find_credentials(profile="ours")
    monkeypatch.setenv("ICD_TOKEN_URL", spelt)
    _in_environment(monkeypatch)
    assert find_credentials(token_url=OTHERS).client_id == "env-id"


def test_arguments_may_go_anywhere():
    assert find_credentials("arg-id", "a", token_url=OTHERS).client_id == "arg-id"


def test_a_profile_without_a_keyring_keeps_its_token_url():
    with pytest.warns(CredentialStorageWarning):
        save_profile("ours", Credentials("our-id", "o"), OTHERS)
    assert find_credentials(profile="ours", token_url=OTHERS) == Credentials("our-id", "o")
