"""oidc_session_storage cookie: the session lives in the browser; what ended and what is newer does not."""

import secrets
import threading
import time

import pytest
from bench.client import NAVIGATION, XHR, Client
from bench.gateway import SESSION_SECRET, Site, protect
from bench.http_server import Answer
from bench.jose import claims_of
from bench.login import at_provider, begin, deliver
from bench.logout_token import deliver as deliver_token
from bench.logout_token import logout_token
from bench.nginx import Nginx, directives, location, server
from bench.proc import wait_for
from bench.upstream import Echo

SAME = [h for h in NAVIGATION if h[0] != "Sec-Fetch-Site"] + [("Sec-Fetch-Site", "same-origin")]
COOKIES = {"session_storage": "cookie", "session_secret": SESSION_SECRET,
           "logout_uri_suffix": "/logout"}
WORKERS = 3


@pytest.fixture
def provider(op, request):
    made = op.provider(request.node.name.replace("[", "-").replace("]", ""))
    made.token_life = 3600
    return made


def protected(upstream, provider, **settings):
    return location("/", protect(provider, **{**COOKIES, **settings})
                    + f"proxy_pass {upstream.origin}; add_header X-Worker $pid always;")


def make_site(make_nginx, upstream, provider, workers=1, http="", **settings):
    return Site(make_nginx, upstream, provider, protected(upstream, provider, **settings),
                http=http, options={"workers": workers})


def parts(client: Client) -> dict:
    return {c.name: c for c in client.cookies() if "session" in c.name and c.name[-2] == "_"}


def set_names(response):
    return [c.partition("=")[0] for c in response.all("Set-Cookie")]


def copy_of(client: Client) -> Client:
    own = Client()
    own.jar = dict(client.jar)
    return own


def refreshes(provider):
    return [r for r in provider.requests
            if r.path.endswith("/token") and dict(r.form).get("grant_type") == "refresh_token"]


def on_all_workers(site, client, wanted=WORKERS):
    """The statuses that copies of these cookies get, once each worker was asked."""
    seen = {}

    def asked():
        response = copy_of(client).get(site.url("/x"), XHR)
        seen.setdefault(response.header("X-Worker"), set()).add(response.status)
        return len(seen) == wanted
    wait_for("each worker to answer", asked, 60, 0.0)
    return seen


def log_out(site, client):
    response = client.request("POST", site.url("/logout"), SAME, b"")
    assert response.status in (200, 302, 303), response
    return response


# ---- use ---------------------------------------------------------------------------------------------

def test_login_and_use(make_nginx, upstream, provider):
    site, client = make_site(make_nginx, upstream, provider, workers=WORKERS), Client()
    answer = site.login(client)
    assert answer.header("Cache-Control") == "private, no-store"
    assert len(parts(client)) == 1
    for cookie in answer.all("Set-Cookie"):
        assert len(cookie) <= 4096
        assert "HttpOnly" in cookie
    token = site.echo(client).bearer
    assert claims_of(token)["sub"]
    assert all(statuses == {200} for statuses in on_all_workers(site, client).values())
    quiet = client.get(site.url("/x"), XHR)
    assert quiet.all("Set-Cookie") == []
    echo = Echo(quiet.body)
    assert echo.bearer == token
    sent = echo.header("Cookie") or ""
    assert "session" not in sent, "no part of it reaches the application"
    client.store("127.0.0.1", "theirs=1; Path=/")
    assert Echo(client.get(site.url("/x"), XHR).body).header("Cookie") == "theirs=1"


def test_an_applications_cookie_of_a_parts_name_is_dropped(make_nginx, upstream, provider):
    site, client = make_site(make_nginx, upstream, provider), Client()
    site.login(client)
    name = next(iter(parts(client)))
    for number in ("1", "2", "8"):
        upstream.answers["/planting"] = Answer(
            headers=(("Set-Cookie", f"{name[:-1]}{number}=x"), ("Set-Cookie", "fine=1")))
        response = client.get(site.url("/planting"), XHR)
        assert set_names(response) == ["fine"], response
    upstream.answers.pop("/planting")
    assert site.echo(client).bearer


def test_use_moves_the_idle_end(make_nginx, upstream, provider):
    site, client = make_site(make_nginx, upstream, provider, session_idling_timeout="8s"), Client()
    site.login(client)
    unused = copy_of(client)
    for _ in range(5):
        time.sleep(2.5)
        assert client.get(site.url("/x"), XHR).status == 200
    assert unused.get(site.url("/x"), XHR).status == 401
    wait_for("the idle end", lambda: copy_of(client).get(site.url("/x"), XHR).status == 401, 30, 1.0)


def test_tampered_planted_and_missing_parts(make_nginx, upstream, provider):
    site, client = make_site(make_nginx, upstream, provider), Client()
    site.login(client)
    assert site.echo(client).bearer  # it is in the worker's cache now
    (key,) = [k for k in client.jar if k[1] in parts(client)]
    good = client.jar[key].value
    own = next(c for c in client.cookies() if "session" in c.name and c.name[-2] != "_")

    def status(*values, name=key[1]):
        cookie = "; ".join([f"{own.name}={own.value}"] + [f"{name}={v}" for v in values])
        return Client().get(site.url("/x"), [*XHR, ("Cookie", cookie)]).status
    assert status(good) == 200
    flip = lambda at: good[:at] + ("B" if good[at] == "A" else "A") + good[at + 1:]
    for at in (0, 1, 4, 12, 23, 24, 30, 200, len(good) - 2):
        assert status(flip(at)) == 401, at
    assert status(flip(200), good) == 401, "two values for one part"
    assert status("x", good) == 200
    assert status(good, good) == 200
    for bad in ("", "A", good[:24], good[:-4], good + "AAAA", "A" * 4000, "%00", '"'):
        assert status(bad) == 401, bad[:30]
    assert status() == 401
    assert status(good, name=key[1][:-1] + "2") == 401
    assert status(*[good[:24]] * 150) == 401
    assert status(good) == 200


# ---- refresh -----------------------------------------------------------------------------------------

def test_refresh_under_concurrency(make_nginx, upstream, provider):
    provider.token_life = 5
    site = make_site(make_nginx, upstream, provider, workers=WORKERS)
    client = Client()
    site.login(client)
    old = site.echo(client).bearer
    for _ in range(2):
        before = copy_of(client)
        count = len(refreshes(provider))
        time.sleep(5.2)
        answers, barrier = [], threading.Barrier(20)

        def one():
            own = copy_of(before)
            barrier.wait()
            answers.append((own.get(site.url("/x"), XHR), own))
        threads = [threading.Thread(target=one) for _ in range(20)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        assert [a.status for a, _ in answers] == [200] * 20
        tokens = {Echo(a.body).bearer for a, _ in answers}
        assert len(tokens) == 1 and old not in tokens
        assert len(refreshes(provider)) == count + 1
        assert all(parts(own) for _, own in answers), "each gets the new cookies"
        assert Echo(copy_of(before).get(site.url("/x"), XHR).body).bearer in tokens, "one more, late"
        client, old = answers[0][1], tokens.pop()
    assert provider.violations == []


def test_two_gateways_share_the_secret_alone(make_nginx, upstream, provider):
    provider.token_life = 5
    one = make_site(make_nginx, upstream, provider)
    two = make_site(make_nginx, upstream, provider)
    client = Client()
    one.login(client)
    token = one.echo(client).bearer
    assert two.echo(client).bearer == token
    for site, other in ((two, one), (one, two)):
        time.sleep(5.2)
        new = site.echo(client).bearer
        assert new != token
        assert other.echo(client).bearer == new
        token = new
    assert provider.violations == []


def test_renewal_of_the_sid(make_nginx, upstream, provider):
    site = make_site(make_nginx, upstream, provider, workers=WORKERS, session_rolling_timeout="8s")
    client = Client()
    site.login(client)
    before = copy_of(client)
    time.sleep(6.2)
    renewed = wait_for("the renewal",
                       lambda: set_names(site_get(site, client)), 60)
    assert len(renewed) == 2
    assert client.cookie_header(site.url("/")) != before.cookie_header(site.url("/"))
    wait_for("the old sid's end",
             lambda: copy_of(before).get(site.url("/x"), XHR).status == 401, 15)
    assert site.echo(client).bearer


def site_get(site, client):
    response = client.get(site.url("/x"), XHR)
    assert response.status == 200, response
    return response


# ---- the end -----------------------------------------------------------------------------------------

def test_logout_counts_for_copies_on_every_worker(make_nginx, upstream, provider):
    site = make_site(make_nginx, upstream, provider, workers=WORKERS)
    client = Client()
    site.login(client)
    stolen = copy_of(client)
    assert all(s == {200} for s in on_all_workers(site, stolen).values())
    log_out(site, client)
    assert not parts(client)
    assert all(s == {401} for s in on_all_workers(site, stolen).values())
    site.nginx.reload()
    assert all(s == {401} for s in on_all_workers(site, stolen).values()), "a reload forgets nothing"
    site.login(client)
    assert site.echo(client).bearer


@pytest.fixture
def shared(make_nginx, upstream, provider, make_redis):
    """Two gateways with the list of ended sessions in one Redis."""
    redis = make_redis()
    settings = {"session_storage": "cookie deny=redis", "redis_port": redis.port,
                "backchannel_logout_uri": "/bc", "session_max_per_subject": 3,
                "redis_connect_timeout": "1s", "redis_read_timeout": "1s"}
    return [make_site(make_nginx, upstream, provider, **settings) for _ in range(2)], redis


def test_logout_on_one_gateway_is_one_on_the_other(shared):
    (one, two), redis = shared
    client = Client()
    one.login(client)
    stolen = copy_of(client)
    assert two.echo(client).bearer
    log_out(one, client)
    assert two.asks_for_login(copy_of(stolen))
    assert one.asks_for_login(copy_of(stolen))
    assert redis.keys("session:ended:*")
    assert not redis.records(), "no session is in Redis"


def test_the_providers_logout_ends_sessions_in_cookies(shared, provider):
    (one, two), _ = shared
    provider.claims["sid"] = "sid-in-cookies"
    client = Client()
    one.login(client)
    assert two.echo(client).bearer
    assert deliver_token(two.url("/bc"), logout_token(provider, sid="sid-in-cookies")).status == 200
    assert one.asks_for_login(copy_of(client))
    assert two.asks_for_login(copy_of(client))


def test_sessions_of_one_user_are_counted(shared):
    (one, two), _ = shared
    clients = [Client() for _ in range(4)]
    for number, client in enumerate(clients):
        (one, two)[number % 2].login(client)
        time.sleep(1.1)  # the oldest goes, by the second
    assert two.asks_for_login(clients[0])
    for client in clients[1:]:
        assert one.echo(client).bearer


def test_a_list_that_does_not_answer_lets_nobody_in_and_out(shared):
    (one, _), redis = shared
    client = Client()
    one.login(client)
    assert one.echo(client).bearer
    redis.kill()
    cookies = client.cookie_header(one.url("/"))
    assert client.get(one.url("/x"), XHR).status == 503
    response = client.request("POST", one.url("/logout"), SAME, b"")
    assert response.status == 503
    assert client.cookie_header(one.url("/")) == cookies
    redis.start()
    wait_for("Redis", lambda: client.get(one.url("/x"), XHR).status == 200, 20)


# ---- size --------------------------------------------------------------------------------------------

def noise(size):
    return secrets.token_urlsafe(size * 3 // 4)


def test_too_large_is_said_with_sizes_and_advice(make_nginx, upstream, provider):
    site, client = make_site(make_nginx, upstream, provider), Client()
    provider.claims["groups"] = noise(9000)
    log = site.nginx.view()
    answer = deliver(client, arrival(site, client))
    assert answer.status == 500
    assert "session_too_large" in answer.text
    assert not parts(client) and not [n for n in set_names(answer) if "session" in n]
    assert log.wait_reason(["session_too_large"])
    text = log.text()
    for words in ("bytes in cookies, oidc_session_storage allows 6144 bytes", "ID token",
                  "fewer scopes", "redis or shm", "large_client_header_buffers"):
        assert words in text, words
    provider.claims.pop("groups")
    site.login(client)
    assert site.echo(client).bearer


def arrival(site, client):
    return at_provider(begin(client, site.url("/")), site.origin)


def test_many_parts_with_larger_buffers(make_nginx, upstream, provider):
    site = make_site(make_nginx, upstream, provider, http="large_client_header_buffers 4 32k;\n",
                     session_storage='cookie size=24k')
    client = Client()
    provider.token_life = 5
    provider.claims["groups"] = noise(11000)
    site.login(client)
    assert len(parts(client)) >= 3
    assert site.echo(client).bearer
    provider.claims.pop("groups")
    time.sleep(5.2)
    assert site.echo(client).bearer
    assert len(parts(client)) == 1, "the parts that it no longer has were deleted"
    assert site.echo(client).bearer


# ---- with other directives ---------------------------------------------------------------------------

@pytest.mark.parametrize("more", [
    {"login_action": "upstream"}, {"login_action": "response", "login_tokens": "id_token"},
    {"response_mode": "form_post"}, {"session_bind": "ip user-agent"}, {"session_cache": None},
    {"session_cookie_same_site": "Strict"}, {"session_idling_timeout": "0"},
    {"session_cookie_path": "/", "session_cookie_name": "mysession"}], ids=lambda s: next(iter(s)))
def test_together_with(make_nginx, upstream, provider, more):
    http = "oidc_session_cache off;\n" if "session_cache" in more else ""
    site, client = make_site(make_nginx, upstream, provider, http=http, **more), Client()
    answer = deliver(client, arrival(site, client))
    assert answer.status in (200, 302, 303), answer
    assert parts(client)
    assert site.echo(client).bearer
    assert site.echo(client).bearer
    stolen = copy_of(client)
    log_out(site, client)
    assert not parts(client)
    assert stolen.get(site.url("/x"), XHR).status == 401


# ---- nginx -t ----------------------------------------------------------------------------------------

GOOD = {"issuer": "https://op.example", "client_id": "gateway", "client_secret": "not-shown-9999",
        "session_secret": SESSION_SECRET}


def checked(settings, body, http=""):
    return Nginx(settings, "config").check(http + server(8999, body, "gw.example"))


def on(path="/", more="", **changes):
    return location(path, "oidc on;\n" + directives(**{**GOOD, **changes}) + more + "return 200;")


@pytest.mark.parametrize("body, http, words", [
    (on(session_storage="cookie", session_secret=None), "", ["oidc_session_secret", "cookie"]),
    (on(session_storage="cookie", session_remember="on"), "", ["oidc_session_remember", "store"]),
    (on(session_storage="cookie", backchannel_logout_uri="/bc"), "",
     ["oidc_backchannel_logout_uri", "cookie deny=redis"]),
    (on(session_storage="cookie", session_max_per_subject=2), "",
     ["oidc_session_max_per_subject", "cookie deny=redis"]),
    (on(session_storage="cookie deny=shm:nowhere"), "", ["no oidc_session_zone \"nowhere\""]),
    (on(session_storage="cookie deny=shm:z") + on("/b", session_storage="shm:z", client_id="b",
                                                   redirect_uri="/b/cb"),
     "oidc_session_zone z 1m;\n", ["\"z\"", "shm and of cookie"]),
    (on(session_storage="cookie") + location("/admin", directives(**GOOD, session_storage="cookie",
                                                                  session_admin="on") + "deny all;"),
     "", ["oidc_session_admin", "cookie deny=redis"]),
    (on(session_storage="cookie size=64k"), "", ["oidc_session_storage", "between 1k and 32k"]),
], ids=lambda value: "")
def test_refused(settings, body, http, words):
    code, message = checked(settings, body, http)
    assert code != 0, message
    for word in words:
        assert word in message, message


def test_warned_of_small_header_buffers(settings):
    body = on(session_storage="cookie")
    assert checked(settings, body)[0] == 0
    assert "large_client_header_buffers" not in checked(settings, body)[1]
    for http, storage in (("large_client_header_buffers 4 4k;\n", "cookie"),
                          ("", "cookie size=7k")):
        code, message = checked(settings, on(session_storage=storage), http)
        assert code == 0, message
        assert "[warn]" in message and "large_client_header_buffers" in message, message
    message = checked(settings, on(session_storage="cookie size=20k"),
                      "large_client_header_buffers 4 22k;\n")[1]
    assert "[warn]" not in message, message
