"""Regression tests: smuggled line breaks, stricter locations, reroutes, cookies, siblings."""

import re
import threading
import time
from urllib.parse import parse_qsl, unquote

import pytest
from bench.client import NAVIGATION, XHR, Client
from bench.gateway import SESSION_SECRET, Site, protect
from bench.http_server import Answer
from bench.login import at_provider, begin, deliver, hand_over
from bench.nginx import LOG_FORMAT, location, server
from bench.proc import free_port, make_dir

SMUGGLED = ("x\r\nContent-Length: 0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\nX-User: admin"
            "\r\n\r\n\0")


@pytest.fixture
def provider(op, request):
    return op.provider("".join(c if c.isalnum() else "-" for c in request.node.name))


@pytest.fixture(params=["shm", "redis"])
def storage(request, make_redis):
    if request.param == "shm":
        return {"session_storage": "shm"}
    return {"session_storage": "redis", "session_secret": SESSION_SECRET,
            "redis_port": make_redis().port}


def session_cookie(client):
    return next(c for c in client.cookies() if "session" in c.name)


def arrive(site, client, path="/"):
    return at_provider(begin(client, site.url(path)), site.origin)


def with_cookie(site, cookie, path="/", headers=XHR):
    return Client().request("GET", site.url(path), [*headers, ("Cookie", cookie)])


@pytest.mark.parametrize("claims", [
    {"evil": SMUGGLED}, {"evil": ["a", SMUGGLED, "b"]}, {"sub": "alice" + SMUGGLED}],
    ids=["claim", "array", "sub"])
def test_variables_cannot_carry_line_breaks(make_nginx, upstream, provider, claims):
    provider.claims = {"sub": "alice", **claims}
    variable = "$oidc_claim_evil" if "evil" in claims else "$oidc_sub"
    body = location("/", protect(provider) + f"proxy_set_header X-Evil {variable};"
                    f"add_header X-Evil {variable}; proxy_pass {upstream.origin};")
    site, client = Site(make_nginx, upstream, provider, body), Client()
    site.login(client)
    seen = len(upstream.requests)
    response = client.navigate(site.url("/page"))
    assert response.status == 200, response
    assert [r.target for r in upstream.requests[seen:]] == ["/page"]
    for headers in (upstream.requests[-1].headers, response.headers):
        values = [v for n, v in headers if n.lower() == "x-evil"]
        assert len(values) == 1 and values[0].isascii() and values[0].isprintable(), values
        assert "GET /smuggled HTTP/1.1" in unquote(values[0])
        assert "%0D%0A" in values[0] and "%00" in values[0], values
        assert not [n for n, _ in headers if n.lower() == "x-user"]


# ---- a stricter location of the same client ------------------------------------------------------

def two_locations(make_nginx, upstream, provider, **stricter):
    proxy = f"proxy_pass {upstream.origin};"
    return Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider) + proxy),
        location("/strict/", protect(provider, **stricter) + proxy)]))


def asked(site, client, path):
    """The authorization parameters of the login that this page starts."""
    return dict(parse_qsl(begin(client, site.url(path)).partition("?")[2]))


def test_acr_values_judge_a_session_of_another_location(make_nginx, upstream, provider):
    site = two_locations(make_nginx, upstream, provider, acr_values="gold")
    for claims in ({"sub": "alice"}, {"sub": "alice", "acr": "silver"}):
        provider.claims, client = claims, Client()
        site.login(client)
        assert site.echo(client).bearer
        seen = len(upstream.requests)
        assert asked(site, client, "/strict/x")["acr_values"] == "gold"
        assert client.get(site.url("/strict/x")).status == 401
        assert len(upstream.requests) == seen
    provider.claims = {"sub": "alice", "acr": "gold"}
    site.login(client, "/strict/x")
    assert site.echo(client, "/strict/x").bearer
    assert site.echo(client).bearer


def test_max_age_judges_a_session_of_another_location(make_nginx, upstream, provider):
    site, client = two_locations(make_nginx, upstream, provider, max_age="100s"), Client()
    provider.claims = {"sub": "alice", "auth_time": int(time.time()) - 1000}
    site.login(client)
    assert site.echo(client).bearer
    assert asked(site, client, "/strict/x")["max_age"] == "100"
    assert client.get(site.url("/strict/x")).status == 401
    provider.claims = {"sub": "alice"}
    site.login(client, "/strict/x")
    assert site.echo(client, "/strict/x").bearer


def test_absolute_timeout_judges_a_session_of_another_location(make_nginx, upstream, provider):
    site = two_locations(make_nginx, upstream, provider, session_absolute_timeout="3s")
    client = Client()
    site.login(client)
    assert site.echo(client, "/strict/x").bearer
    time.sleep(3.2)
    assert site.echo(client).bearer
    assert client.get(site.url("/strict/x")).status == 401
    assert site.asks_for_login(client, "/strict/x")
    site.login(client, "/strict/x")
    assert site.echo(client, "/strict/x").bearer


# ---- oidc_login_action upstream and the server's rewrites ----------------------------------------

@pytest.fixture
def rerouted(make_nginx, upstream, provider):
    on = protect(provider, login_action="upstream", upstream_header="X-User sub")
    proxy = f"proxy_pass {upstream.origin};"
    return Site(make_nginx, upstream, provider, "\n".join([
        "underscores_in_headers on;",
        "rewrite ^/old/(.*)$ /new/$1 last;",
        "if ($http_x_go) { rewrite ^/app/(.*)$ /open/$1 last; }",
        location("/", on + proxy), location("/open/", "oidc off;\n" + proxy)]))


def test_the_servers_rewrite_is_applied_to_the_target(rerouted):
    site, client = rerouted, Client()
    response = deliver(client, arrive(site, client, "/old/page?a=b"))
    assert response.status == 200, response
    seen = site.upstream.requests[-1]
    assert (seen.method, seen.target) == ("GET", "/new/page?a=b")
    assert seen.all("X-User") == ["alice"]


def test_reroute_that_ends_where_oidc_is_off(rerouted):
    site, client = rerouted, Client()
    response = deliver(client, arrive(site, client, "/app/first"))
    assert response.status == 200, response
    old, other = session_cookie(client), Client()
    delivery = arrive(site, other, "/app/page")
    cookie = f"a=1; {old.name}={old.value}; {other.cookie_header(delivery.url)}; b=2"
    response = Client().request("GET", delivery.url, [
        *NAVIGATION, ("X-Go", "open"), ("X-User", "admin"), ("x_user", "admin"),
        ("Cookie", cookie)])
    assert response.status == 200, response
    assert [c for c in response.all("Set-Cookie") if "session" in c]
    seen = site.upstream.requests[-1]
    assert seen.target == "/open/page"
    assert not [n for n, _ in seen.headers if n.lower().replace("_", "-") == "x-user"]
    assert seen.header("Authorization") is None
    assert seen.all("Cookie") == ["a=1; b=2"]


# ---- our cookies, both ways ----------------------------------------------------------------------

@pytest.fixture
def with_open(make_nginx, upstream, provider):
    proxy = f"proxy_pass {upstream.origin};"
    return Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider) + proxy), location("/open/", "oidc off;\n" + proxy),
        location("/uncleared/", "oidc off; oidc_clear_headers off;\n" + proxy)]))


def test_session_cookie_where_oidc_is_off(with_open):
    site, client = with_open, Client()
    site.login(client)
    cookie = f"a=1; {client.cookie_header(site.url('/'))}; b=2"
    for path, expected in (("/open/x", "a=1; b=2"), ("/uncleared/x", cookie)):
        assert with_cookie(site, cookie, path).status == 200
        assert site.upstream.requests[-1].all("Cookie") == [expected]


def planted(site, client, path, *names):
    """The names of the cookies that come through when the upstream sets these."""
    site.upstream.answers[path] = Answer(headers=tuple(
        ("Set-Cookie", f"{name}=planted; Path=/") for name in (*names, "app")))
    response = client.navigate(site.url(path))
    assert response.status == 200, response
    return [c.partition("=")[0] for c in response.all("Set-Cookie")]


@pytest.mark.parametrize("path", ["/sets", "/open/sets"])
def test_upstream_cannot_set_our_cookies(with_open, path):
    site, client = with_open, Client()
    begin(client, site.url("/"))
    login = client.cookies()[0].name
    site.login(client)
    name = session_cookie(client).name
    assert planted(site, client, path, name, f" {name} ", f"\t{name}\t", f"{name} ",
                   f"__Host-{name}", f"__Secure-{name} ", login, f"{login} ") == ["app"]
    assert site.echo(client).bearer


def test_upstream_cannot_set_a_cookie_of_a_prefixed_name(make_nginx, upstream, provider,
                                                         certificate, client):
    name = "__Host-session-of-the-shop"
    proxy = f"proxy_pass {upstream.origin};"
    site = Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider, session_cookie_name=name) + proxy),
        location("/open/", "oidc off;\n" + proxy)]), certificate=certificate, host="localhost")
    site.login(client)
    assert session_cookie(client).name == name
    for path in ("/sets", "/open/sets"):
        assert planted(site, client, path, name, f" {name} ") == ["app"]


def test_pass_refuses_a_wrong_cookie_once(make_nginx, upstream, provider):
    site = Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider) + f"proxy_pass {upstream.origin};"),
        location("/pass/", protect(provider, unauthenticated="pass")
                 + f"proxy_pass {upstream.origin};")]))
    client = Client()
    assert site.echo(client, "/pass/x").bearer is None
    site.login(client)
    assert site.echo(client, "/pass/x").bearer
    cookie = session_cookie(client)
    cookie.value = cookie.value[::-1]
    seen = len(upstream.requests)
    response = client.navigate(site.url("/pass/x"))
    assert response.status == 401, response
    assert len(upstream.requests) == seen
    assert client.cookies() == [], "the wrong cookie goes"
    assert site.echo(client, "/pass/x").bearer is None


def test_conflicting_cookies_start_no_login(make_nginx, upstream, provider):
    site = Site(make_nginx, upstream, provider)
    clients = Client(), Client()
    for client in clients:
        site.login(client)
    both = "; ".join(client.cookie_header(site.url("/")) for client in clients)
    log, seen = site.nginx.view(), len(upstream.requests)
    response = with_cookie(site, both, headers=NAVIGATION)
    assert response.status == 401, response
    assert response.header("Location") is None
    assert log.wait_reason(["cookie_conflict"])
    assert len(upstream.requests) == seen


# ---- logins and refreshes at once ----------------------------------------------------------------

def test_second_tabs_login_ends_the_first_ones_session(make_nginx, upstream, provider, storage):
    """Both logins began without a session: the one that came with the second answer is replaced."""
    site = Site(make_nginx, upstream, provider, session_idling_timeout="8s", **storage)
    client = Client()
    first, second = arrive(site, client), arrive(site, client)
    assert deliver(client, first).status in (302, 303)
    old = client.cookie_header(site.url("/"))
    assert deliver(client, second).status in (302, 303)
    replaced = time.monotonic()
    assert with_cookie(site, old).status == 200, "requests in flight still carry it"
    while time.monotonic() < replaced + 2.6:
        with_cookie(site, old)
        time.sleep(0.2)
    for _ in range(3):
        assert with_cookie(site, old).status == 401
    assert site.echo(client).bearer


def test_one_refresh_among_all_workers(make_nginx, upstream, provider, storage):
    """The provider rotates, and would end the session if a refresh token came twice."""
    provider.token_life = 5
    log_format = LOG_FORMAT.replace("outcome=", "worker=$pid outcome=")
    port = free_port()
    # With reuseport the kernel spreads the connections, however idle the first worker is.
    site = Site(make_nginx, upstream, provider, port=port, **storage,
                http=server(port, "", "unused.test", listen="reuseport"),
                options={"workers": 4, "log_format": log_format})
    client = Client()
    site.login(client)
    provider.override["token"] = lambda r: time.sleep(0.7)  # then the usual answer
    time.sleep(5.2)
    logins, seen, start = provider.count("token"), [], threading.Barrier(40)

    def one():
        own = Client()
        own.jar = client.jar
        start.wait()
        seen.append(own.get(site.url("/x"), XHR))
    threads = [threading.Thread(target=one) for _ in range(40)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert [r.status for r in seen] == [200] * 40
    assert provider.count("token") == logins + 1
    assert provider.violations == []
    workers = re.findall(r'"GET /x [^"]*".* worker=(\d+)', site.nginx.access_log.read_text())
    assert len(set(workers)) > 1, "no worker had a sibling in this run"
    bearers = [v for r in upstream.seen("/x")[-40:] for v in r.all("Authorization")]
    assert len(bearers) == 40 and len(set(bearers)) == 1


@pytest.mark.parametrize("error", ["access_denied", "login_required"])
def test_only_a_code_uses_a_state_up(make_nginx, upstream, provider, error):
    site, client = Site(make_nginx, upstream, provider), Client()
    delivery = arrive(site, client)
    jar = dict(client.jar)

    def again(answer):
        browser = Client()
        browser.jar = dict(jar)
        return hand_over(browser, answer)
    denied = delivery.with_fields({"error": error, "state": delivery.field("state"),
                                   "iss": delivery.field("iss")})
    log = site.nginx.view()
    for _ in range(3):
        response = again(denied)
        assert response.all("Set-Cookie") and not [
            c for c in response.all("Set-Cookie") if "session" in c.partition("=")[0]]
    assert "state_replayed" not in log.reasons()
    response = again(delivery)
    assert response.status in (302, 303), response
    assert response.location == site.url("/")
    redeemed, log = provider.count("token"), site.nginx.view()
    assert again(delivery).status in (400, 403), "the code's state is used up"
    assert log.wait_reason(["state_replayed"])
    assert provider.count("token") == redeemed


def test_upstream_cannot_set_a_nameless_cookie(with_open):
    """Browsers send `Set-Cookie: =NAME=VALUE` back as `Cookie: NAME=VALUE`."""
    site, client = with_open, Client()
    site.login(client)
    name = session_cookie(client).name
    assert planted(site, client, "/sets", f"={name}", f" = {name}") == ["app"]


@pytest.mark.parametrize("how", ["try_files", "error_page", "index", "accel"])
def test_internal_redirect_into_a_stricter_location(make_nginx, upstream, provider, how):
    root = make_dir("root")
    (root / "index.html").write_text("the index")
    proxy = f"proxy_pass {upstream.origin};"
    entry = {"try_files": "root /nonexistent; try_files $uri /strict/x;",
             "error_page": "root /nonexistent; error_page 404 = /strict/x;",
             "index": f"root {root}; index index.html;", "accel": proxy}[how]
    upstream.answers["/go"] = Answer(headers=(("X-Accel-Redirect", "/strict/x"),))
    strict = protect(provider, acr_values="gold") + proxy
    site = Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider) + entry), location("/loose/", protect(provider) + proxy),
        location("/strict/", strict), location("= /index.html", strict)]))
    client = Client()
    site.login(client, "/loose/")
    assert site.echo(client, "/loose/").bearer
    response = client.navigate(site.url("/" if how == "index" else "/go"))
    assert response.status in (302, 401), response
