"""Back-Channel Logout 1.0: what ends sessions."""

import time
from urllib.parse import urlencode

import pytest
from bench.client import Client, FORM
from bench.gateway import SESSION_SECRET, Site, protect
from bench.http_server import Answer
from bench.jose import SigningKey
from bench.logout_token import deliver, ended, logged_in, logout_token
from bench.login import at_provider, begin, hand_over, login
from bench.nginx import location
from bench.proc import wait_for

PATH = "/oidc/backchannel"
EVIL = SigningKey("RS256", "evil", 66)


@pytest.fixture(scope="module", params=["shm", "redis"])
def site(request, make_nginx, upstream, op, make_redis):
    where = {"session_storage": "shm"}
    if request.param == "redis":
        where = {"session_storage": "redis", "session_secret": SESSION_SECRET,
                 "redis_port": make_redis().port}
    provider = op.provider(f"back-{request.param}")
    return Site(make_nginx, upstream, provider, options={"workers": 3},
                backchannel_logout_uri=PATH, **where)


def sleep_past(second=None):
    """A logout ends logins of its own second too."""
    begun = int(time.time()) if second is None else second
    wait_for("the next second", lambda: int(time.time()) > begun)


def test_sid_ends_the_sessions_of_that_session(site):
    mine, same = logged_in(site, "sid-a"), logged_in(site, "sid-a")
    other = logged_in(site, "sid-b")
    log = site.nginx.view()
    response = deliver(site.url(PATH), logout_token(site.provider, sid="sid-a"))
    assert (response.status, response.body) == (200, b"")
    ended(site, mine)
    ended(site, same)
    assert site.echo(other, "/page").bearer
    assert log.reasons() == []
    # And the browser may log in again.
    sleep_past()
    assert site.echo(logged_in(site, "sid-c")).bearer


def test_subject_alone_ends_all(site):
    clients = [logged_in(site, f"sid-{i}", "carol") for i in range(3)]
    other = logged_in(site, "sid-d", "dave")
    response = deliver(site.url(PATH), logout_token(site.provider, sid=None, sub="carol"))
    assert response.status == 200
    for client in clients:
        ended(site, client)
    assert site.echo(other).bearer


def test_both_mean_the_sid(site):
    one, two = logged_in(site, "sid-e", "erin"), logged_in(site, "sid-f", "erin")
    assert deliver(site.url(PATH),
                   logout_token(site.provider, sid="sid-e", sub="erin")).status == 200
    ended(site, one)
    assert site.echo(two).bearer


def test_nothing_matched_is_200(site):
    client = logged_in(site)
    for changes in ({"sid": "nobody's"}, {"sid": None, "sub": "nobody"}):
        assert deliver(site.url(PATH), logout_token(site.provider, **changes)).status == 200
    assert site.echo(client).bearer


@pytest.mark.parametrize("typ", ["logout+jwt", "JWT", None, "application/logout+jwt"])
def test_types(site, typ):
    sid = f"sid-typ-{typ}"
    client = logged_in(site, sid)
    token = logout_token(site.provider, header={"typ": typ}, sid=sid)
    assert deliver(site.url(PATH), token).status == 200
    ended(site, client)


def test_a_new_signing_key_is_fetched(site):
    client = logged_in(site, "sid-key")
    site.provider.rotate(1 + len(site.provider.requests))
    assert deliver(site.url(PATH), logout_token(site.provider, sid="sid-key")).status == 200
    ended(site, client)


def test_strangers_do_not_make_a_genuine_token_wrong(make_nginx, upstream, op):
    """They used up the fetch of the keys, then the keys change: a 400 would not be repeated."""
    provider = op.provider("rotating-back")
    site = Site(make_nginx, upstream, provider, options={"workers": 2},
                backchannel_logout_uri=PATH, rediscovery_lifetime="10s")
    client = logged_in(site, "sid-rotated")
    stranger = SigningKey("RS256", "stranger", 66)
    forged = logout_token(provider, {"kid": stranger.kid}, stranger.sign)
    assert deliver(site.url(PATH), forged).status == 400
    provider.rotate(1)
    token = logout_token(provider, sid="sid-rotated")
    log = site.nginx.view()
    response = deliver(site.url(PATH), token)
    assert (response.status, response.header("Retry-After")) == (503, "10"), response
    assert log.wait_reason(["keys_unavailable"])
    assert site.echo(client).bearer
    wait_for("the provider's next try",
             lambda: deliver(site.url(PATH), token).status == 200, 30, 0.5)
    ended(site, client)


def test_replay(site):
    client = logged_in(site, "sid-g")
    token = logout_token(site.provider, sid="sid-h")
    assert deliver(site.url(PATH), token).status == 200
    log = site.nginx.view()
    for _ in range(4):  # whichever worker is asked
        assert deliver(site.url(PATH), token).status == 400
    assert log.wait_reason(["logout_token_replayed"])
    jti = {"jti": "the-same-jti-again"}
    assert deliver(site.url(PATH), logout_token(site.provider, sid="sid-h", **jti)).status == 200
    assert deliver(site.url(PATH), logout_token(site.provider, sid="sid-g", **jti)).status == 400
    assert site.echo(client).bearer


def test_logout_during_a_login(site):
    """The logout comes while the code is redeemed: there is no session afterwards."""
    site.provider.claims = {"sub": "frank", "sid": "sid-frank"}
    client = Client()
    delivery = at_provider(begin(client, site.url("/page")), site.origin)

    def logout_first(request):
        assert deliver(site.url(PATH), logout_token(site.provider, sid="sid-frank")).status == 200
        return site.provider.right_token(request)
    log = site.nginx.view()
    site.provider.override["token"] = logout_first
    try:
        response = hand_over(client, delivery)
    finally:
        del site.provider.override["token"]
    assert response.status == 401, response
    assert log.wait_reason(["session_logged_out"])
    assert not [c for c in client.cookies() if "session" in c.name]


# ---- more than one of anything -------------------------------------------------------------------

def test_two_gateways_on_one_redis(make_nginx, upstream, op, make_redis):
    provider, redis = op.provider("two"), make_redis()
    where = {"session_storage": "redis", "session_secret": SESSION_SECRET, "redis_port": redis.port,
             "backchannel_logout_uri": PATH}
    one = Site(make_nginx, upstream, provider, **where)
    two = Site(make_nginx, upstream, provider, **where)
    client = logged_in(one, "sid-two")
    assert two.echo(client).bearer
    assert deliver(two.url(PATH), logout_token(provider, sid="sid-two")).status == 200
    ended(one, client)
    ended(two, client)
    # Its identifier is known to both.
    token = logout_token(provider, sid="sid-two")
    assert deliver(one.url(PATH), token).status == 200
    assert deliver(two.url(PATH), token).status == 400
    # Nothing readable lies there.
    for key in redis.keys():
        assert "alice" not in key and "sid-two" not in key
        dump = redis.command("DUMP", key)
        assert b"alice" not in dump and b"sid-two" not in dump
        assert redis.command("PTTL", key) > 0


def test_readable_subject_where_asked_for(make_nginx, upstream, op, make_redis):
    redis = make_redis()
    site = Site(make_nginx, upstream, op.provider("readable"), session_storage="redis",
                session_secret=SESSION_SECRET, redis_port=redis.port, session_hash_subject="off",
                backchannel_logout_uri=PATH)
    client = logged_in(site, "sid-r", "alice")
    assert [k for k in redis.keys() if k.endswith(":alice")]
    assert deliver(site.url(PATH), logout_token(site.provider, sid=None, sub="alice")).status == 200
    ended(site, client)


def test_several_clients_on_one_server(make_nginx, upstream, op):
    """One path for all of them; the token's own iss and aud decide."""
    one, two = op.provider("client-one"), op.provider("client-two")
    two.client_id = "second"
    common = {"backchannel_logout_uri": PATH}
    proxy = f"proxy_pass {upstream.origin};"
    site = Site(make_nginx, upstream, one, "\n".join([
        location("/", protect(one, **common) + proxy),
        location("/two/", protect(two, **{**common, "client_id": "second",
                                          "redirect_uri": "/callback-two"}) + proxy)]))
    first = logged_in(site, "sid-same", path="/page")
    two.claims = {"sub": "alice", "sid": "sid-same"}
    second = Client()
    site.login(second, "/two/page")
    mixed = logout_token(one, aud="second", sid="sid-same")
    assert deliver(site.url(PATH), mixed).status == 400
    crossed = logout_token(two, iss=one.issuer, aud="gateway", sid="sid-same",
                           header={"kid": "key-0"}, sign=EVIL.sign)
    assert deliver(site.url(PATH), crossed).status == 400
    assert site.echo(first).bearer and site.echo(second, "/two/page").bearer
    assert deliver(site.url(PATH), logout_token(two, sid="sid-same")).status == 200
    assert site.echo(first).bearer
    assert second.navigate(site.url("/two/page")).status in (302, 303)
    assert deliver(site.url(PATH), logout_token(one, sid="sid-same")).status == 200
    ended(site, first)


def test_exp_optional_for_old_providers(make_nginx, upstream, op):
    site = Site(make_nginx, upstream, op.provider("no-exp"), backchannel_logout_uri=PATH,
                backchannel_logout_exp="optional")
    client = logged_in(site, "sid-x")
    old = logout_token(site.provider, exp=None, iat=int(time.time()) - 600)
    assert deliver(site.url(PATH), old).status == 400
    assert site.echo(client).bearer
    assert deliver(site.url(PATH), logout_token(site.provider, exp=None)).status == 200
    ended(site, client)


def test_off_it_is_nothing(make_nginx, upstream, op):
    site = Site(make_nginx, upstream, op.provider("off"))
    client = logged_in(site, "sid-off")
    body = urlencode({"logout_token": logout_token(site.provider, sid="sid-off")}).encode()
    assert Client().request("POST", site.url(PATH), [FORM], body).status == 401
    assert site.echo(client).bearer


# ---- the store is down ---------------------------------------------------------------------------

@pytest.mark.parametrize("how", ["killed", "hanging"])
def test_store_down_is_503_and_no_logout(make_nginx, upstream, op, make_redis, how):
    redis = make_redis()
    site = Site(make_nginx, upstream, op.provider(f"down-{how}"), session_storage="redis",
                session_secret=SESSION_SECRET, redis_port=redis.port, backchannel_logout_uri=PATH,
                redis_connect_timeout="1s", redis_read_timeout="1s", redis_send_timeout="1s")
    client = logged_in(site, "sid-down")
    token = logout_token(site.provider, sid="sid-down")
    # Redis comes back with what it had only where it was not killed.
    if how == "killed":
        redis.command("SAVE")
        redis.kill()
    else:
        redis.pause()
    log = site.nginx.view()
    response = deliver(site.url(PATH), token)
    assert response.status == 503, response
    assert int(response.header("Retry-After")) > 0
    assert log.wait_reason(["store_unavailable"])
    if how == "killed":
        redis.start()
        wait_for("recovery",
                 lambda: login(Client(), site.url("/")).status in (302, 303), 15, 0.3)
        return
    redis.resume()
    wait_for("the session is still there", lambda: client.navigate(site.url("/")).status == 200,
             10, 0.2)
    # The same token, sent again, does what it says.
    wait_for("logout", lambda: deliver(site.url(PATH), token).status == 200, 10, 0.3)
    ended(site, client)


def test_provider_down_is_503(make_nginx, upstream, op):
    """Its keys cannot be had: no fault of the token."""
    provider = op.provider("keyless")
    site = Site(make_nginx, upstream, provider, backchannel_logout_uri=PATH)
    provider.claims = {"sub": "alice", "sid": "sid-k"}
    provider.override["openid-configuration"] = Answer(500, b"ill")
    try:
        assert deliver(site.url(PATH), logout_token(provider)).status == 503
    finally:
        del provider.override["openid-configuration"]


def test_max_per_subject(make_nginx, upstream, op):
    site = Site(make_nginx, upstream, op.provider("limited"), session_max_per_subject="2")
    clients = []
    for number in range(3):
        clients.append(logged_in(site, f"sid-{number}", "grace"))
        sleep_past()
    other = logged_in(site, "sid-o", "heidi")
    ended(site, clients[0])
    assert all(site.echo(client).bearer for client in (*clients[1:], other))
