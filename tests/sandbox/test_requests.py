"""What every request must bring and every answer carries: methods, tokens, headers."""

import pytest

from icdframes.sandbox.request_context import HttpRequest, choose_language, choose_media_type, is_version_2, weighted
from icdframes.sandbox.tokens import TokenEndpoint

ROOT = "/icd/entity"
MMS = "/icd/release/11/2024-01/mms"


def test_a_token_is_had_with_form_credentials_as_recorded(api):
    answer = api.token()
    assert list(answer.json()) == ["access_token", "expires_in", "token_type"]
    assert (answer.json()["expires_in"], answer.json()["token_type"]) == (3600, "Bearer")
    assert answer.headers["Cache-Control"] == "no-store, no-cache, max-age=0"
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"


def test_a_token_is_had_with_basic_credentials_and_without_a_scope(api):
    assert api.token(auth=("sandbox-client", "sandbox-secret"), scope=None).status_code == 200


def test_a_secret_with_odd_characters_works_as_it_stands_and_form_encoded(start, talk):
    api = talk(start(client_id="a:b", client_secret="x%+/ü"))
    assert api.token(auth=("a%3Ab", "x%25%2B%2F%C3%BC")).status_code == 200
    api = talk(start(client_id="ab", client_secret="x%+/"))
    assert api.token(auth=("ab", "x%+/")).status_code == 200


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_client"),
        ({"client_secret": None}, "invalid_client"),
        ({"auth": ("sandbox-client", "wrong")}, "invalid_client"),
        ({"headers": {"Authorization": "Basic ???"}}, "invalid_client"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"headers": {"Content-Type": "application/json"}}, "invalid_request"),
    ],
)
def test_the_token_endpoint_says_what_is_wrong(api, asked, error):
    answer = api.token(**asked)
    assert (answer.status_code, answer.json()) == (400, {"error": error})
    assert api.sandbox.tokens_issued == 1


def test_a_token_dies_with_its_lifetime_and_is_forgotten():
    now = [0.0]
    app = TokenEndpoint("id", "secret", 60, clock=lambda: now[0])
    form = b"grant_type=client_credentials&client_id=id&client_secret=secret"
    asked = HttpRequest("POST", "/connect/token", {"Content-Type": "application/x-www-form-urlencoded"}, form)

    def issue():
        import json

        return "Bearer " + json.loads(app.answer(asked).body)["access_token"]

    first = issue()
    now[0] = 59.9
    assert app.accepts(first)
    now[0] = 60.0
    assert not app.accepts(first)
    second = issue()
    assert app.accepts(second.replace("Bearer", "bearer"))
    assert not app.accepts(second.removeprefix("Bearer "))
    assert len(app._alive) == 1


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic abc", "Bearer "])
def test_a_request_without_a_living_token_is_401(api, header):
    answer = api.get(ROOT, Authorization=header)
    assert (answer.status_code, answer.content, answer.headers["WWW-Authenticate"]) == (401, b"", "Bearer")


def test_revoked_tokens_are_401_and_a_new_one_works(api):
    api.sandbox.revoke_tokens()
    assert api.get(ROOT).status_code == 401
    api.headers["Authorization"] = "Bearer " + api.token().json()["access_token"]
    assert api.get(ROOT).status_code == 200


def test_a_good_answer_has_the_recorded_headers(api):
    headers = api.get(ROOT).headers
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "public,max-age=36000"
    assert headers["Vary"] == "Accept, Accept-Language, API-Version,Accept-Encoding"
    assert headers["API-Version"] == "v2.6.0"
    assert headers["Access-Control-Expose-Headers"] == "API-Version"
    assert not {"ETag", "Last-Modified", "Set-Cookie"} & set(headers)


def test_vary_can_be_left_out(start, talk):
    assert "Vary" not in talk(start(vary=False)).get(ROOT).headers


@pytest.mark.parametrize(
    ("version", "code"),
    [(None, "ApiVersionUnspecified"), ("v1", "UnsupportedApiVersion"), ("v3", "UnsupportedApiVersion")],
)
def test_another_or_no_api_version_is_400(api, version, code):
    answer = api.get(ROOT, API_Version=version)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize(("text", "fits"), [("v2", True), ("2", True), ("V2.6", True), ("v2.7", False), ("v22", False)])
def test_only_version_2_is_spoken(text, fits):
    assert is_version_2(text) is fits


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/json;q=0"])
def test_an_unacceptable_media_type_is_406(api, accept):
    assert api.get(ROOT, Accept=accept).status_code == 406


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/ld+json", "application/ld+json"),
        ("text/html, application/ld+json;q=0.5, application/json;q=0.9", "application/json"),
        ("Application/*", "application/json"),
        ("text/plain", None),
    ],
)
def test_the_media_type_is_negotiated(accept, chosen):
    assert choose_media_type(accept, ("application/json", "application/ld+json")) == chosen


def test_the_answer_names_the_media_type_that_was_asked_for(api):
    assert api.get(ROOT, Accept="application/ld+json").headers["Content-Type"] == "application/ld+json"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"), ("*", "en"), ("es", "es"), ("ES", "es"), ("es-MX", "es"), ("onion", None), ("ar,fr;q=0.3", "fr"),
        ("en;q=0.2, es", "es"), ("es;q=0", "en"), ("fr;q=x", "en"), ("ar, *;q=0.1", "en"),
    ],
)  # fmt: skip
def test_a_language_is_chosen_as_browsers_ask_for_it(header, language):
    assert choose_language(weighted(header), ("es", "en", "fr")) == language


def test_without_english_the_first_language_is_the_default():
    assert choose_language((), ("es", "fr")) == "es"
    assert choose_language((), ()) is None


@pytest.mark.parametrize(
    "path",
    [ROOT, f"{ROOT}/11", MMS, f"{MMS}/11", f"{MMS}/codeinfo/1A00", "/icd/release/11/mms", "/icd/release/11/mms/11",
     "/icd/release/10", "/icd/release/10/A00", "/icd/release/10/2019", "/icd/release/10/2019/A00",
     f"{MMS}/lookup?foundationUri=http://id.who.int/icd/entity/11"],
)  # fmt: skip
def test_a_language_that_the_release_lacks_is_404(api, path):
    assert api.get(path, language="onion").status_code == 404
    assert api.get(path, Accept_Language=None).status_code == 200


def test_a_language_of_one_release_is_not_one_of_another(api):
    assert api.get("/icd/release/11/2024-01/mms", language="fr").status_code == 200
    assert api.get("/icd/release/11/2022-02/mms", language="fr").status_code == 404
    assert api.get("/icd/release/11/mms", language="fr").status_code == 200


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"])
def test_other_methods_are_405_and_need_no_token(api, method):
    answer = api.get(ROOT, method=method, Authorization=None)
    assert (answer.status_code, answer.headers["Allow"], answer.content) == (405, "GET", b"")
    assert api.get(ROOT).status_code == 200


def test_the_token_endpoint_wants_a_post(api):
    answer = api.get("/connect/token")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_a_browser_may_ask_from_any_page(api):
    answer = api.get(ROOT, method="OPTIONS", Origin="http://localhost:3000", Authorization=None)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "API-Version" in answer.headers["Access-Control-Allow-Headers"]
    assert api.get(ROOT).headers["Access-Control-Allow-Origin"] == "*"
    assert api.get("/nothing").headers["Access-Control-Allow-Origin"] == "*"


def test_without_authentication_it_is_like_the_local_container(start, talk):
    sandbox = start(authenticate=False)
    api = talk(sandbox)
    assert sandbox.token_url is None
    assert api.get(ROOT).status_code == 200
    assert api.get(ROOT, Authorization="").status_code == 200
    assert api.get("/icd/release/10").status_code == 404
    assert api.get("/icd/release/10/2019/A00").status_code == 404
    assert api.get("/connect/token", method="POST").status_code == 404
    assert sandbox.tokens_issued == 0
    sandbox.revoke_tokens()


def test_a_fault_of_the_sandbox_is_a_500_and_not_a_dead_connection(api, corpus, monkeypatch, caplog):
    monkeypatch.setattr(type(corpus), "of", lambda self, name: 1 / 0)
    answer = api.get("/icd/release/11/mms")
    assert (answer.status_code, answer.text) == (500, "Internal server error")
    assert "/icd/release/11/mms" in caplog.text
    assert "Bearer" not in caplog.text
