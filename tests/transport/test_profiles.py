from __future__ import annotations

import json
import sys

import pytest

from icdframes.errors import ConfigurationError, CredentialStorageWarning
from icdframes.transport.profiles import delete_profile, list_profiles, load_profile, save_profile
from icdframes.transport.secrets import Credentials

MINE = Credentials("client-id-0123", "s3cret-of-mine")
OURS = Credentials("client-id-4567", "s3cret-of-ours")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "config" / "profiles.json"


def save_in_file(name, credentials):
    with pytest.warns(CredentialStorageWarning, match=r"profiles\.json"):
        return save_profile(name, credentials)


def test_a_keyring_keeps_the_secret_and_the_file_only_the_client_id(memory_keyring, file):
    assert save_profile("work", MINE).startswith("keyring ")
    assert MINE.client_secret not in file.read_text()
    assert MINE.client_id in file.read_text()
    assert memory_keyring.kept == {("icdframes", "work"): MINE.client_secret}
    assert load_profile("work") == MINE


@pytest.mark.parametrize("keyring_installed", [True, False])
def test_without_a_keyring_a_private_file_keeps_it_and_this_is_said(monkeypatch, file, keyring_installed):
    if not keyring_installed:
        monkeypatch.setitem(sys.modules, "keyring", None)
    assert save_in_file("default", MINE) == str(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["profiles.json"]
    assert load_profile("default") == MINE


def test_a_keyring_that_forgets_or_is_locked_does_not_lose_the_secret(monkeypatch, memory_keyring):
    monkeypatch.setattr(memory_keyring, "set_password", lambda *_: None)
    save_in_file("a", MINE)
    monkeypatch.setattr(memory_keyring, "set_password", lambda *_: 1 / 0)
    save_in_file("b", OURS)
    assert (load_profile("a"), load_profile("b")) == (MINE, OURS)


def test_one_person_keeps_several_clients(memory_keyring):
    save_profile("ours", OURS)
    save_profile("mine", OURS)
    save_profile("mine", MINE)
    assert list_profiles() == ["mine", "ours"]
    assert (load_profile("mine"), load_profile("ours"), load_profile("other")) == (MINE, OURS, None)
    with pytest.raises(ConfigurationError, match=r"no profile 'our': give one of mine, ours. Did you mean 'ours'"):
        delete_profile("our")
    delete_profile("ours")
    assert list_profiles() == ["mine"]
    assert list(memory_keyring.kept) == [("icdframes", "mine")]


def test_deleting_works_in_the_file_and_where_the_keyring_forgot(memory_keyring, monkeypatch):
    save_profile("mine", MINE)
    memory_keyring.kept.clear()
    delete_profile("mine")
    with monkeypatch.context() as context:
        context.setitem(sys.modules, "keyring", None)
        save_in_file("mine", MINE)
    delete_profile("mine")
    assert list_profiles() == []
    with pytest.raises(ConfigurationError, match="no profile 'mine': none is stored"):
        delete_profile("mine")


def test_a_secret_that_the_keyring_does_not_give_is_an_error(memory_keyring, monkeypatch):
    save_profile("mine", MINE)
    monkeypatch.setattr(memory_keyring, "get_password", lambda *_: 1 / 0)
    with pytest.raises(ConfigurationError, match="unlock the keyring"):
        load_profile("mine")
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigurationError, match="unlock the keyring"):
        load_profile("mine")


def test_a_file_that_others_can_read_is_tightened_and_this_is_said(file):
    save_in_file("mine", MINE)
    file.chmod(0o644)
    with pytest.warns(CredentialStorageWarning, match="could be read by others"):
        assert load_profile("mine") == MINE
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\\b", "-x", "a b", "x\n", "a" * 65, 5, None])
def test_a_name_cannot_be_a_path(name):
    for use in (load_profile, delete_profile, lambda name: save_profile(name, MINE)):
        with pytest.raises(ConfigurationError, match="no profile name"):
            use(name)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"profiles": []}', '{"profiles": {"a": 1}}', '{"profiles": {"a": {}}}', "\x80"]
)
def test_a_broken_file_is_named_and_left_alone(file, text):
    file.parent.mkdir()
    file.write_text(text, encoding="latin-1")
    file.chmod(0o600)
    for use in (list_profiles, lambda: load_profile("a"), lambda: save_profile("a", MINE)):
        with pytest.raises(ConfigurationError, match=r"profiles\.json does not hold profiles"):
            use()
    assert file.read_text(encoding="latin-1") == text


@pytest.mark.parametrize("secret", [5, True, ["s3cret-of-mine"]])
def test_a_secret_that_is_no_text_is_an_error_of_its_profile_only(file, secret):
    save_in_file("ours", OURS)
    content = json.loads(file.read_text())
    content["profiles"]["mine"] = {"client_id": "x", "client_secret": secret}
    file.write_text(json.dumps(content))
    with pytest.raises(ConfigurationError, match=r"profile 'mine' in .*icdframes login --profile mine"):
        load_profile("mine")
    assert load_profile("ours") == OURS
    save_in_file("others", OURS)
    assert json.loads(file.read_text())["profiles"]["mine"]["client_secret"] == secret
    save_in_file("mine", MINE)
    assert load_profile("mine") == MINE


def test_a_folder_that_cannot_be_used_is_named(tmp_path, monkeypatch):
    (tmp_path / "occupied").write_text("")
    monkeypatch.setenv("ICDFRAMES_CONFIG_DIR", str(tmp_path / "occupied"))
    with pytest.raises(ConfigurationError, match="occupied"):
        save_profile("mine", MINE)
    monkeypatch.setenv("ICDFRAMES_CONFIG_DIR", str(tmp_path))
    (tmp_path / "profiles.json").mkdir(mode=0o700)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        list_profiles()


def test_an_interrupted_write_leaves_the_old_file(file, monkeypatch):
    save_in_file("mine", MINE)
    monkeypatch.setattr(json, "dumps", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ConfigurationError, match="No space left"):
        save_profile("ours", OURS)
    monkeypatch.undo()
    monkeypatch.setenv("ICDFRAMES_CONFIG_DIR", str(file.parent))
    assert load_profile("mine") == MINE
    assert [path.name for path in file.parent.iterdir()] == ["profiles.json"]
