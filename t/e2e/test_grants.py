"""Passwords, clients' secrets and refresh tokens as credentials: exchanged at the token endpoint."""

import time
from urllib.parse import urlencode

import pytest
from bench.access_token import access_token, bearer, call, refused, unwatched_token
from bench.client import FORM, NAVIGATION, Client
from bench.gateway import Site, protect
from bench.grants import Grants, basic, new_password, unwatched_basic
from bench.nginx import location
from bench.upstream import Echo


@pytest.fixture(scope="module")
def provider(op):
    return op.provider("grants")


@pytest.fixture(scope="module")
def grants(provider):
    return Grants(provider)


@pytest.fixture(scope="module")
def site(make_nginx, upstream, provider, grants):
    proxy = f"proxy_pass {upstream.origin};"
    api = {"audience_required": "api", "upstream_header": "X-User sub"}
    password = {**api, "auth_methods": "password"}
    every = {**api, "auth_methods": "client_credentials password refresh_token"}
    machine = {**api, "auth_methods": "client_credentials"}
    body = "\n".join([
        location("/", protect(provider, **password)
                 + "add_header X-Outcome $oidc_outcome; add_header X-Session <$oidc_session>;"
                 + proxy),
        location("/browser/", protect(
            provider, **{**api, "auth_methods": "session authorization_code bearer password"})
            + proxy),
        location("/machine/", protect(provider, **machine) + proxy),
        location("/machine-post/", protect(provider, **machine, client_auth="client_secret_post")
                 + proxy),
        location("/refresh/", protect(provider, auth_methods="refresh_token",
                                      upstream_header="X-User sub") + proxy),
        location("/named/", protect(provider, auth_methods="refresh_token",
                                    refresh_token_param_name="my_token") + proxy),
        location("/all/", protect(provider, **every) + proxy),
        location("/query/", protect(provider, **every, password_param_type="query",
                                    client_credentials_param_type="query",
                                    refresh_token_param_type="query") + proxy),
        location("/body/", protect(provider, **every, password_param_type="header body",
                                   client_credentials_param_type="body",
                                   refresh_token_param_type="body", hide_credentials="off")
                 + proxy),
        location("/kept/", protect(provider, **every, hide_credentials="off",
                                   upstream_access_token_header="off") + proxy),
        location("/hidden/", protect(provider, **password, upstream_access_token_header="off")
                 + proxy),
        location("/scope/", protect(provider, **password, scopes_required="admin") + proxy),
        location("/other/", protect(provider, **{**password, "audience_required": "other"})
                 + proxy),
        location("/pass/", protect(provider, **password, unauthenticated="pass",
                                   run_on_preflight="off", upstream_access_token_header="off")
                 + proxy),
        location("/introspected/", protect(
            provider, **{**api, "auth_methods": "introspection password"}) + proxy),
    ])
    return Site(make_nginx, upstream, provider, body)


def echo(response) -> Echo:
    assert response.status == 200, response
    return Echo(response.body)


def refused_basic(response, status: int = 401) -> None:
    assert response.status == status, response
    assert response.header("WWW-Authenticate") == 'Basic realm="127.0.0.1", charset="UTF-8"'
    assert response.header("Location") is None
    assert "no-store" in response.header("Cache-Control")
    assert response.all("Set-Cookie") == []


def test_a_password_passes_and_is_asked_about_once(site, grants):
    name, password = grants.user()
    for _ in range(4):
        response = call(site.url("/x?y=1"), basic(name, password))
        seen = echo(response)
        name_of_token = response.header("X-Session")
        assert name_of_token.startswith("<t"), "keys of caches are made of it"
        assert seen.header("X-User") == name
        assert seen.bearer and password not in seen.bearer
        assert seen.target == "/x?y=1"
        assert response.header("X-Outcome") == "password"
        assert response.all("Set-Cookie") == []
    assert grants.asked(name) == 1
    form = dict(grants.requests(name)[0].form)
    assert (form["grant_type"], form["username"], form["password"]) == ("password", name, password)
    assert form["scope"] == "openid"


def test_any_characters_in_names_and_passwords(site, grants):
    name, _ = grants.user("Zoë & co=+%41")
    grants.passwords[name] = "p:a s&s=%+ö/" + new_password()
    assert echo(call(site.url("/x"), basic(name, grants.passwords[name])))
    assert dict(grants.requests(name)[0].form)["password"] == grants.passwords[name]


def test_a_wrong_password_is_refused_and_not_asked_about_again_and_again(site, grants):
    name, _ = grants.user()
    wrong = new_password()
    for _ in range(4):
        refused_basic(call(site.url("/x"), basic(name, wrong)))
    assert grants.asked(name) == 1
    # A moment later the provider may have another opinion.
    grants.passwords[name] = wrong
    deadline = time.monotonic() + 30
    while call(site.url("/x"), basic(name, wrong)).status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert grants.asked(name) == 2


def test_the_next_password_is_another_credential(site, grants):
    name, password = grants.user()
    assert echo(call(site.url("/x"), basic(name, password)))
    refused_basic(call(site.url("/x"), basic(name, password + "x")))
    refused_basic(call(site.url("/x"), basic(name + "x", password)))
    # Nor does it help where the colon stands.
    refused_basic(call(site.url("/x"), basic(f"{name}:{password[:3]}", password[3:])))
    assert echo(call(site.url("/x"), basic(name, password)))
    assert grants.asked(name) == 3


def test_who_guesses_is_stopped(site, grants):
    name, password = grants.user()
    other, others = grants.user()
    answers = [call(site.url("/x"), basic(name, new_password())) for _ in range(14)]
    assert [r.status for r in answers] == [401] * 10 + [429] * 4
    assert int(answers[-1].header("Retry-After")) > 0
    assert grants.asked(name) == 10
    # Even with the right one: it could be the next guess.
    assert call(site.url("/x"), basic(name, password)).status == 429
    assert echo(call(site.url("/x"), basic(other, others)))


@pytest.mark.parametrize("value", [
    "Basic", "Basic ", "Basic !!!", "Basic YWxpY2U=", "Basic YWxpY2U6cGF\x01", "basic ====",
    "Basic YWxpY2U6cABi", "Basic YWxpY2U6cAph"])
def test_malformed(site, grants, value):
    before = len(grants.provider.requests)
    assert call(site.url("/x"), ("Authorization", value)).status == 400
    assert len(grants.provider.requests) == before


@pytest.mark.parametrize("name, secret", [("", "x"), ("alice", ""), ("", "")])
def test_nothing_is_no_password(site, grants, name, secret):
    before = len(grants.provider.requests)
    refused_basic(call(site.url("/x"), basic(name, secret)))
    assert len(grants.provider.requests) == before


def test_twice_is_a_conflict(site, grants):
    name, password = grants.user()
    both = [unwatched_basic(name, "a"), unwatched_basic("mallory", "b")]
    assert call(site.url("/x"), *both).status == 400
    assert call(site.url("/x"), both[0], bearer("abc")).status == 400
    field = urlencode({"username": name, "password": password}).encode()
    header = basic(name, password)
    assert call(site.url("/body/x"), header, FORM, method="POST", body=field).status == 400
    assert call(site.url("/body/x"), FORM, method="POST", body=field + b"&" + field).status == 400
    assert grants.asked(name) == 0


def test_nobody_is_asked_for_a_password(site):
    refused_basic(call(site.url("/x")))
    response = Client().request("GET", site.url("/browser/x"), NAVIGATION)
    assert response.status == 302
    refused(call(site.url("/browser/x")), 401, None)
    assert call(site.url("/x"), bearer("abc")).status == 401


def test_session_then_bearer_then_basic(site, grants, provider):
    name, password = grants.user()
    client = Client()
    provider.claims = {"sub": "alice"}
    site.login(client, "/browser/page")
    # The session is there: nobody looks at the password.
    seen = echo(call(site.url("/browser/x"), basic(name, new_password()), client=client))
    assert seen.header("X-User") == "alice" and seen.bearer
    assert grants.asked(name) == 0
    # A cookie that is none: then it counts.
    broken = Client()
    headers = [("Cookie", "oidc_session=broken"), basic(name, password)]
    assert echo(call(site.url("/browser/x"), *headers, client=broken)).header("X-User") == name
    refused_basic(call(site.url("/browser/x"), basic(name, new_password())))
    # A bearer token decides alone, and two Authorization headers are a conflict.
    token = access_token(provider, sub="bob")
    assert echo(call(site.url("/browser/x"), bearer(token))).header("X-User") == "bob"
    refused(call(site.url("/browser/x"), bearer("broken")), 401, "invalid_token")
    both = [bearer(unwatched_token(provider)), unwatched_basic(name, "x")]
    assert call(site.url("/browser/x"), *both).status == 400


def test_basic_alone_makes_no_session_where_sessions_are_possible(site, grants):
    name, password = grants.user()
    client = Client()
    response = client.request("GET", site.url("/browser/x"), [*NAVIGATION, basic(name, password)])
    assert echo(response).header("X-User") == name
    assert response.all("Set-Cookie") == [] and client.cookies() == []


def test_what_the_upstream_gets(site, grants, provider):
    name, password = grants.user()
    assert echo(call(site.url("/hidden/x"), basic(name, password))).all("Authorization") == []
    # Authorization itself is cleared in the whole server, since other locations set it.
    token = provider.issue({})["refresh_token"]
    seen = echo(call(site.url("/kept/x"), ("Refresh-Token", token)))
    assert seen.header("Refresh-Token") == token and seen.all("Authorization") == []
    # Whatever the client says it is.
    seen = echo(call(site.url("/x"), basic(name, password), ("X-User", "root")))
    assert seen.all("X-User") == [name]


def test_pass_is_for_nobody_and_not_for_a_wrong_password(site, grants):
    name, password = grants.user()
    assert echo(call(site.url("/pass/x"))).all("X-User") == []
    assert echo(call(site.url("/pass/x"), basic(name, password))).header("X-User") == name
    refused_basic(call(site.url("/pass/x"), basic(name, new_password())))


def test_a_preflight_passes_without_an_identity(site, grants):
    name, password = grants.user()
    preflight = [("Origin", "https://spa.test"), ("Access-Control-Request-Method", "GET"),
                 basic(name, password)]
    seen = echo(call(site.url("/pass/x"), *preflight, method="OPTIONS"))
    assert seen.all("X-User") == [] and seen.all("Authorization") == []
    assert grants.asked(name) == 0
    refused_basic(call(site.url("/x"), *preflight[:2], method="OPTIONS"))


def test_rules(site, grants):
    name, password = grants.user()
    assert call(site.url("/scope/x"), basic(name, password)).status == 403
    assert call(site.url("/other/x"), basic(name, password)).status == 401
    assert grants.asked(name) == 2


def test_client_credentials(site, grants):
    name, secret = grants.client()
    for _ in range(3):
        seen = echo(call(site.url("/machine/x"), basic(name, secret)))
        assert seen.header("X-User") == f"service-{name}" and seen.bearer
    assert grants.asked(name) == 1
    form = dict(grants.requests(name)[0].form)
    assert form == {"grant_type": "client_credentials"}, "no client but the caller"
    refused_basic(call(site.url("/machine/x"), basic(name, secret + "x")))
    assert echo(call(site.url("/machine-post/x"), basic(name, secret)))
    form = dict(grants.requests(name)[-1].form)
    assert (form["client_id"], form["client_secret"]) == (name, secret)


def test_with_both_methods_basic_is_a_password(site, grants):
    name, secret = grants.client()
    refused_basic(call(site.url("/all/x"), basic(name, secret)))
    assert dict(grants.requests(name)[0].form)["grant_type"] == "password"


def test_refresh_token(site, provider):
    provider.claims = {"sub": "carol"}
    token = provider.issue({})["refresh_token"]
    for header in ("Refresh-Token", "X-Refresh-Token", "refresh-token"):
        seen = echo(call(site.url("/refresh/x"), (header, token)))
        assert seen.header("X-User") == "carol" and seen.bearer
        assert seen.all(header) == []
    # It was used once, and used up: the provider rotates.
    assert sum(("refresh_token", token) in r.form for r in provider.requests) == 1
    refused(call(site.url("/refresh/x"), ("Refresh-Token", new_password())), 401, None)
    assert call(site.url("/refresh/x"), ("Refresh-Token", "")).status == 401
    other = provider.issue({})["refresh_token"]
    assert call(site.url("/refresh/x"), ("Refresh-Token", token), ("X-Refresh-Token", other)
                ).status == 400
    assert echo(call(site.url("/named/x"), ("My-Token", other))).all("My-Token") == []
    refused(call(site.url("/named/x"), ("Refresh-Token", other)), 401, None)


def test_a_refresh_token_goes_before_a_password(site, grants, provider):
    name, password = grants.user()
    refused(call(site.url("/all/x"), ("Refresh-Token", new_password()), basic(name, password)), 401,
            None)
    provider.claims = {"sub": "carol"}
    token = provider.issue({})["refresh_token"]
    seen = echo(call(site.url("/all/x"), ("Refresh-Token", token), basic(name, password)))
    assert seen.header("X-User") == "carol"
    assert grants.asked(name) == 0


def test_in_the_query(site, grants, provider):
    name, password = grants.user()
    pair = urlencode({"username": name, "password": password})
    response = call(site.url(f"/query/x?a=1&{pair}&b=2"))
    seen = echo(response)
    assert seen.header("X-User") == name and seen.target == "/query/x?a=1&b=2"
    assert "no-store" in response.header("Cache-Control")
    client, secret = grants.client()
    pair = urlencode({"client_id": client, "client_secret": secret})
    assert echo(call(site.url(f"/query/x?{pair}"))).target == "/query/x"
    token = provider.issue({})["refresh_token"]
    assert echo(call(site.url(f"/query/x?refresh_token={token}&z"))).target == "/query/x?z"
    # Half a pair is the application's own.
    assert call(site.url("/query/x?username=alice")).status == 401
    assert call(site.url("/query/x?username=a&password=%00")).status == 401
    # Not where nobody looks for it.
    refused_basic(call(site.url("/x?username=alice&password=secret")))


def test_in_the_body(site, grants, provider):
    name, password = grants.user()
    pair = {"username": name, "password": password, "more": "1"}
    form = urlencode(pair).encode()
    seen = echo(call(site.url("/body/x"), FORM, method="POST", body=form))
    assert seen.header("X-User") == name and seen.body == form.decode()
    client, secret = grants.client()
    json = f'{{"client_id": "{client}", "client_secret": "{secret}", "n": 1}}'.encode()
    seen = echo(call(site.url("/body/x"), ("Content-Type", "application/json"), method="PUT",
                     body=json))
    assert seen.header("X-User") == f"service-{client}" and seen.body == json.decode()
    token = provider.issue({})["refresh_token"]
    body = urlencode({"refresh_token": token}).encode()
    assert echo(call(site.url("/body/x"), FORM, method="POST", body=body))
    assert echo(call(site.url("/body/x"), basic(name, password), FORM, method="POST", body=b"a=1"))
    assert call(site.url("/body/x"), FORM, method="POST", body=b"username=alice").status == 401
    assert call(site.url("/body/x"), ("Content-Type", "application/json"), method="POST",
                body=b'{"username": ["a"], "password": {}}').status == 401
    # Larger than anybody reads for this.
    huge = form + b"&x=" + b"y" * 70_000
    assert call(site.url("/body/x"), FORM, method="POST", body=huge).status == 401


def test_tokens_are_verified(site, grants, provider):
    def says(**changes):
        name, password = grants.user()
        provider.edit_token_answer = lambda answer: {**answer, **changes}
        try:
            return call(site.url("/x"), basic(name, password))
        finally:
            provider.edit_token_answer = lambda answer: answer
    assert says().status == 200
    alone = {"id_token": None}
    assert says(**alone).status == 200
    assert says(**alone, access_token=access_token(provider, aud="other")).status == 401
    foreign = access_token(provider, iss="https://evil.test")
    assert says(**alone, access_token=foreign).status == 401
    forged = access_token(provider, sign=lambda data, alg=None: b"x" * 256)
    assert says(**alone, access_token=forged).status == 502
    bound = access_token(provider, cnf={"jkt": "x"})
    assert says(**alone, access_token=bound).status == 401
    assert says(id_token="e30.e30.e30").status == 502
    assert says(token_type="mac").status == 502
    # at_hash binds the ID token to its own access token.
    assert says(access_token=access_token(provider)).status == 502


def test_an_opaque_token_is_introspected_where_that_is_on(site, grants, provider):
    name, password = grants.user()
    provider.opaque = True
    try:
        assert echo(call(site.url("/introspected/x"), basic(name, password))).bearer
        assert provider.count("introspect") == 1
        provider.introspection = {"active": False}
        other, others = grants.user()
        assert call(site.url("/introspected/x"), basic(other, others)).status == 401
        # Nothing says what it is for.
        third, thirds = grants.user()
        assert call(site.url("/x"), basic(third, thirds)).status == 401
    finally:
        provider.opaque = False
        provider.introspection = {"active": True, "sub": "alice", "aud": "api"}
