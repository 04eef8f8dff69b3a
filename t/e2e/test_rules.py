"""Rules on claims: who meets them passes, everybody else gets 403 and never another login."""

import pytest
from bench.client import NAVIGATION, XHR, Client
from bench.gateway import SESSION_SECRET, Site, protect
from bench.http_server import Answer
from bench.login import at_provider, begin, deliver, login
from bench.nginx import location
from bench.proc import make_dir, wait_for

RULES = {
    "roles": "oidc_roles_required admin;",
    "any-of": 'oidc_groups_required "dev ops" boss;',
    "nested": "oidc_roles_claim realm_access.roles; oidc_roles_required admin;",
    "dotted": r"oidc_roles_claim https://app\.test/roles; oidc_roles_required admin;",
    "scopes": "oidc_scopes_required read;",
    "audience": "oidc_audience_required api;",
    "audience-claim": "oidc_audience_claim realm_access.roles; oidc_audience_required admin;",
    "forbidden": "oidc_claims_forbidden act;",
    "equal": "oidc_require department = it;",
    "not-equal": "oidc_require department != sales;",
    "in": "oidc_require department in it hr;",
    "contains": 'oidc_require groups contains "Domain Users" dev;',
    "matches": r'oidc_require email matches "[a-z]+@example\.com";',
    "at-least": "oidc_require level >= 3;",
    "exists": "oidc_require sub exists;",
    "verified": "oidc_require email_verified = true;",
    "all": "oidc_roles_required admin; oidc_require level >= 3; oidc_claims_forbidden act;",
}
GOOD = {
    "roles": ["x", "admin"], "groups": ["Domain Users", "dev", "ops"],
    "realm_access": {"roles": ["admin"]}, "https://app.test/roles": "user admin",
    "scope": "openid read", "department": "it", "email": "bob@example.com", "level": 3,
    "email_verified": True,
}
# What each of these changes of GOOD must not open.
HOSTILE = {
    "empty": ({name: None for name in GOOD} | {"aud": None},
              set(RULES) - {"forbidden", "exists"}),
    "longer words": ({"roles": ["administrator"], "groups": ["devops", "bosses"],
                      "realm_access": {"roles": ["admin2"]}, "https://app.test/roles": "administrator",
                      "scope": "reader", "aud": "api2", "department": "items",
                      "email": "bob@example.com.evil"},
                     set(RULES) - {"forbidden", "exists", "not-equal", "at-least", "verified"}),
    "words inside words": ({"roles": ["no admin"], "groups": ["dev ops", "the boss"]},
                           {"roles", "any-of", "contains", "all"}),
    "objects": ({"roles": {"admin": 1}, "groups": {"boss": True}, "realm_access": ["roles", "admin"],
                 "scope": {"read": 1}, "aud": {"api": 1}, "department": {"it": 1},
                 "email": {"x": "bob@example.com"}, "level": {"x": 3}, "email_verified": {"true": 1}},
                set(RULES) - {"forbidden", "exists", "dotted"}),
    "arrays of arrays": ({"roles": [["admin"]], "groups": [["boss"]], "scope": [["read"]],
                          "aud": [["api"]], "department": [["it"]], "email": [["bob@example.com"]],
                          "level": [[3]], "email_verified": [[True]],
                          "realm_access": {"roles": [["admin"]]}},
                         set(RULES) - {"forbidden", "exists", "dotted"}),
    "other types": ({"roles": True, "groups": 1, "department": True, "level": "4", "email": 5,
                     "email_verified": 1, "scope": 7, "aud": False},
                    set(RULES) - {"forbidden", "exists", "dotted", "nested", "audience-claim",
                                  "not-equal"}),
    "homoglyphs": ({"roles": ["аdmin"], "groups": ["bоss"], "department": "іt",
                    "email": "bоb@example.com", "scope": "openid rеad", "aud": "арi"},
                   {"roles", "any-of", "scopes", "audience", "equal", "in", "contains", "matches",
                    "all"}),
    "letters": ({"roles": ["ADMIN"], "department": "IT", "email_verified": "True", "aud": "API"},
                {"roles", "audience", "equal", "in", "verified", "all"}),
    "control characters": ({"roles": ["admin\x00"], "department": "it\n", "scope": "openid\tread",
                            "email": "bob@example.com\n"},
                           {"roles", "equal", "in", "scopes", "matches", "all"}),
    "one name, flat": ({"realm_access": None, "realm_access.roles": ["admin"],
                        "https://app.test/roles": None, "https://app": {"test/roles": "admin"}},
                       {"nested", "audience-claim", "dotted"}),
    "acting for another": ({"act": {"sub": "mallory"}}, {"forbidden", "all"}),
    "acting for null": ({"act": None}, {"forbidden", "all"}),
    "a long array": ({"groups": [f"g{i}" for i in range(300)]}, {"any-of", "contains"}),
}


@pytest.fixture(scope="module")
def site(make_nginx, upstream, op):
    provider = op.provider("rules")
    proxy = f"proxy_pass {upstream.origin};"
    body = [location(f"/{name}/", protect(provider) + rule + proxy) for name, rule in RULES.items()]
    return Site(make_nginx, upstream, provider, "\n".join([
        *body, location("/open/", protect(provider) + proxy)]),
        http="large_client_header_buffers 4 64k; proxy_buffer_size 64k; proxy_buffers 8 64k;")


def logged_in(site, claims: dict, path="/open/") -> Client:
    site.provider.access_claims = claims
    client = Client()
    site.login(client, path)
    return client


def test_good(site):
    client = logged_in(site, GOOD)
    for name in RULES:
        for _ in range(2):
            assert client.get(site.url(f"/{name}/")).status == 200, name


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile(site, upstream, case):
    change, refused = HOSTILE[case]
    client = logged_in(site, GOOD | change)
    logins = site.provider.count("authorize")
    for name in RULES:
        path = f"/{name}/{case.replace(' ', '-').replace(',', '')}"
        for headers in (XHR, NAVIGATION):
            response = client.request("GET", site.url(path), headers)
            assert response.status == (403 if name in refused else 200), (name, response)
            if name in refused:
                assert "no-store" in response.header("Cache-Control")
                assert not response.all("Set-Cookie")
                assert response.header("WWW-Authenticate") is None
        assert bool(upstream.seen(path)) == (name not in refused), name
    assert site.provider.count("authorize") == logins
    assert client.get(site.url("/open/")).status == 200, "the session stays"


def test_opaque_tokens_leave_the_id_token(site):
    """And the scope that the token endpoint's answer names."""
    site.provider.opaque = True
    site.provider.claims = {"sub": "alice", "roles": ["admin"]}
    site.provider.edit_token_answer = lambda answer: answer | {"scope": "openid read"}
    try:
        client = logged_in(site, {})
        assert client.get(site.url("/roles/")).status == 200
        assert client.get(site.url("/scopes/")).status == 200
        assert client.get(site.url("/equal/")).status == 403
    finally:
        site.provider.opaque = False
        site.provider.claims = {"sub": "alice"}
        site.provider.edit_token_answer = lambda answer: answer


def test_no_login_loop(site, upstream):
    """The user who lacks the role logs in once, and is told so where she wanted to go."""
    site.provider.access_claims = {}
    client = Client()
    logins = site.provider.count("authorize")
    home = login(client, site.url("/roles/page?a=b"))
    assert home.status in (302, 303) and home.location.removeprefix(site.origin) == "/roles/page?a=b"
    for _ in range(3):
        response = client.navigate(site.url("/roles/page?a=b"))
        assert response.status == 403, response
        assert b"forbidden" in response.body and b"roles" not in response.body
    assert site.provider.count("authorize") == logins + 1
    assert not upstream.seen("/roles/page")
    # Without a session it is a login as everywhere.
    assert Client().navigate(site.url("/roles/")).status == 302
    assert Client().get(site.url("/roles/")).status == 401


def test_the_log_says_which_rule_and_no_value(site):
    client = logged_in(site, {"department": "canary-department"})
    log = site.nginx.view()
    assert client.get(site.url("/equal/")).status == 403
    assert log.wait_reason({"forbidden"})
    assert "oidc_require =: department does not hold" in log.text()
    assert "canary-department" not in log.text()


@pytest.mark.parametrize("storage", ["shm", "shm without cache", "redis"])
def test_new_tokens_are_a_new_decision(make_nginx, upstream, op, make_redis, storage):
    provider = op.provider("refresh-" + storage.replace(" ", "-"))
    settings = {"scopes_required": "write", "refresh_before": "1s"}
    http = "oidc_session_cache off;\n" if "without" in storage else ""
    if storage == "redis":
        settings |= {"session_storage": "redis", "session_secret": SESSION_SECRET,
                     "redis_port": make_redis().port}
    provider.token_life = 8
    provider.access_claims = {"scope": "openid write"}
    site = Site(make_nginx, upstream, provider, http=http, **settings)
    client = Client()
    site.login(client)
    assert client.get(site.url("/a")).status == 200
    provider.access_claims = {"scope": "openid"}
    wait_for("narrower tokens", lambda: client.get(site.url("/a")).status == 403, 60)
    assert client.get(site.url("/a")).json()["error"] == "scope_insufficient"
    provider.access_claims = {"scope": "openid write"}
    wait_for("wider tokens", lambda: client.get(site.url("/a")).status == 200, 60)
    assert provider.count("authorize") == 1
    assert not provider.violations


# ---- nginx's own ways around an access handler ---------------------------------------------------

@pytest.fixture(scope="module")
def ways(make_nginx, upstream, op):
    root = make_dir("ways")
    root.chmod(0o755)
    (root / "ssi.html").write_text('[<!--# include virtual="/secret/ssi" -->]')
    (root / "denied.html").write_text("our own page")
    provider = op.provider("ways")
    proxy = f"proxy_pass {upstream.origin};"
    on = protect(provider)
    rule = "oidc_roles_required admin;"
    (root / "passwords").write_text("carol:{PLAIN}carol\n")
    upstream.answers["/open/accel"] = Answer(headers=(("X-Accel-Redirect", "/secret/accel"),))
    return Site(make_nginx, upstream, provider, "\n".join([
        f"root {root};",
        location("/open/", on + proxy),
        location("/secret/", on + rule + proxy),
        location("/rewritten/", on + "rewrite ^/rewritten/(.*)$ /secret/$1 last;"),
        location("/try/", on + "try_files /nothing /secret/try;"),
        location("/missing/", on + "error_page 404 = /secret/error; root /nonexistent;"),
        location("/ssi.html", on + "ssi on;"),
        location("/mirrored/", on + "mirror /secret/mirrored;" + proxy),
        location("/asks/", on + "auth_request /secret/asked;" + proxy),
        location("/page/", on + rule + "error_page 403 /denied.html;" + proxy),
        location("= /denied.html", "internal;"),
        location("/satisfy/", "satisfy any; auth_basic realm; "
                 f"auth_basic_user_file {root}/passwords;" + on + rule
                 + "oidc_forbidden_redirect_uri /denied;" + proxy),
        location("/upstream/", protect(provider, login_action="upstream",
                                       redirect_uri="/callback-upstream") + rule + proxy),
        location("/response/", protect(provider, login_action="response", login_tokens="access_token",
                                       redirect_uri="/callback-response") + rule + proxy),
    ]))


@pytest.fixture(scope="module")
def reader(ways):
    return logged_in(ways, {"roles": ["reader"]})


@pytest.fixture(scope="module")
def admin(ways):
    return logged_in(ways, {"roles": ["admin"]})


@pytest.mark.parametrize("path", ["/rewritten/x", "/try/x", "/missing/x", "/open/accel"])
def test_internal_redirects(ways, reader, admin, upstream, path):
    landing = {"/rewritten/x": "/secret/x", "/try/x": "/secret/try", "/missing/x": "/secret/error",
               "/open/accel": "/secret/accel"}[path]
    before = len(upstream.seen(landing))
    logins = ways.provider.count("authorize")
    for headers in (XHR, NAVIGATION):
        assert reader.request("GET", ways.url(path), headers).status == 403
    assert len(upstream.seen(landing)) == before
    assert ways.provider.count("authorize") == logins
    assert admin.get(ways.url(path)).status == 200
    assert len(upstream.seen(landing)) == before + 1


def test_subrequests(ways, reader, admin, upstream):
    for client in (reader, admin):  # other settings than those of the request: never
        client.get(ways.url("/ssi.html"))
        client.get(ways.url("/mirrored/x"))
        assert client.get(ways.url("/asks/x")).status == 403
    for path in ("/secret/ssi", "/secret/mirrored", "/secret/asked"):
        assert not upstream.seen(path), path


def test_error_page(ways, reader):
    response = reader.navigate(ways.url("/page/x"))
    assert (response.status, response.body) == (403, b"our own page")


def test_satisfy_any(ways, reader, admin, upstream):
    """403 of ours is not the last word, and no redirect of ours is in the others' answer."""
    basic = ("Authorization", "Basic Y2Fyb2w6Y2Fyb2w=")
    response = reader.request("GET", ways.url("/satisfy/x"), [*NAVIGATION, basic])
    assert response.status == 200 and response.header("Location") is None
    assert reader.request("GET", ways.url("/satisfy/x"), NAVIGATION).status in (401, 403)
    assert admin.request("GET", ways.url("/satisfy/x"), NAVIGATION).status == 200


@pytest.mark.parametrize("action", ["upstream", "response"])
def test_login_actions(ways, upstream, action):
    path = f"/{action}/page"
    ways.provider.access_claims = {"roles": ["reader"]}
    client = Client()
    delivery = at_provider(begin(client, ways.url(path)), ways.origin)
    response = deliver(client, delivery)
    # Whom the rules refuse gets no tokens: the page itself says so.
    assert b"access_token" not in response.body
    assert response.location.removeprefix(ways.origin) == path
    assert not upstream.seen(path)
    logins = ways.provider.count("authorize")
    assert client.navigate(ways.url(path)).status == 403, "logged in, and refused"
    assert ways.provider.count("authorize") == logins
    ways.provider.access_claims = {"roles": ["admin"]}
    client = Client()
    response = deliver(client, at_provider(begin(client, ways.url(path)), ways.origin))
    assert response.status == 200, response


def test_reload_changes_the_rules(make_nginx, upstream, op):
    provider = op.provider("reloaded")
    provider.access_claims = {"roles": ["reader"]}
    site = Site(make_nginx, upstream, provider, roles_required="reader")
    client = Client()
    site.login(client)
    assert client.get(site.url("/a")).status == 200
    strict = site.http.replace("oidc_roles_required reader", "oidc_roles_required admin")
    site.nginx.reload(strict)
    wait_for("the new rules", lambda: client.get(site.url("/a")).status == 403, 60)
