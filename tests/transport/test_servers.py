from __future__ import annotations

import pytest

from icdframes.errors import ConfigurationError
from icdframes.settings import LOCAL, WHO, Server, is_loopback, resolve_server


@pytest.mark.parametrize(
    ("text", "base_url"),
    [
        ("https://icd.example/", "https://icd.example"),
        ("HTTPS://ICD.Example:8443/Prefix/", "https://icd.example:8443/Prefix"),
        (" http://localhost:8080 ", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://xn--cd-lja.example", "https://xn--cd-lja.example"),
    ],
)
def test_a_base_url_is_kept_in_one_form(text, base_url):
    assert resolve_server(text) == Server("custom", base_url)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://[::1", "host or port cannot be read"),
        ("https://icd.example:99999", "host or port cannot be read"),
        ("https://icd.example:http", "host or port cannot be read"),
        ("https://", "must begin with https://"),
        ("https:///icd", "must begin with https://"),
        ("ftp://icd.example", "must begin with https://"),
        ("https://icd.example?x=1", "no server URL: it is a host"),
        ("https://icd.example/#x", "no server URL: it is a host"),
        ("https://icd.example/a b", "no server URL: it is a host"),
        ("https://icd.example\nX-Evil:1", "no server URL"),
        ("https://\u00edcd.example", "xn--"),
        ("https://\u0456cd.example", "xn--"),
        ("https://icd.example/\\evil.example", "no server URL: it is a host"),
        ("https://icd.example/<b>", "no server URL: it is a host"),
        ("https://icd.example\\@evil.example", "user name or password"),
        ("https://@icd.example", "user name or password"),
        ("https://:s3cret@icd.example", "user name or password"),
        ("wo", "Unknown server 'wo'.*Did you mean 'who'"),
        ("//icd.example", "Unknown server"),
    ],
)
def test_a_server_that_could_be_read_in_two_ways_is_refused(text, words):
    with pytest.raises(ConfigurationError, match=words) as caught:
        resolve_server(text)
    assert "s3cret" not in str(caught.value)


def test_a_token_url_is_judged_as_a_base_url_is():
    assert resolve_server("https://icd.example", " HTTPS://Tokens.Example/Connect\n").token_url == (
        "https://tokens.example/Connect"
    )
    for text in ("https://icd.example/#x", "http://[::1", "https://user:s3cret@icd.example", "http://icd.example"):
        with pytest.raises(ConfigurationError, match=r"token URL|over plain http"):
            resolve_server("https://icd.example", text)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1.evil.example",
        "http://127.1",
        "http://0x7f000001",
        "http://localhost.evil.example",
        "http://0.0.0.0",
    ],
)
def test_what_only_looks_like_this_machine_is_not_trusted_with_a_secret(url):
    assert not is_loopback(url)
    with pytest.raises(ConfigurationError, match="over plain http"):
        resolve_server(url, "https://icd.example/connect/token")
    with pytest.raises(ConfigurationError, match="over plain http"):
        resolve_server("https://icd.example", f"{url}/connect/token")


def test_names_and_the_environment_name_a_server(monkeypatch):
    monkeypatch.delenv("ICD_SERVER", raising=False)
    assert resolve_server(None) == resolve_server("who") == WHO
    assert resolve_server("local") == LOCAL
    monkeypatch.setenv("ICD_SERVER", "https://icd.example")
    monkeypatch.setenv("ICD_TOKEN_URL", "https://icd.example/connect/token")
    assert resolve_server(None) == Server("custom", "https://icd.example", "https://icd.example/connect/token")
    assert resolve_server("who") == WHO
