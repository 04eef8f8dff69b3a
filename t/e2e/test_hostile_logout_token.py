"""Logout tokens and requests that are wrong in one place each: none of them ends a session."""

import json
import time
from urllib.parse import urlencode

import pytest
from bench.gateway import SESSION_SECRET, Site
from bench.jose import SigningKey, compact, hmac_signer
from bench.logout_token import (EVENT, deliver, deliver_raw, logged_in, logout_claims,
                                logout_token)
from bench.scripted_op import CLIENT_SECRET

PATH = "/oidc/backchannel"
EVIL = SigningKey("RS256", "evil", 66)


@pytest.fixture(scope="module", params=["shm", "redis"])
def site(request, make_nginx, upstream, op, make_redis):
    where = {"session_storage": "shm"}
    if request.param == "redis":
        where = {"session_storage": "redis", "session_secret": SESSION_SECRET,
                 "redis_port": make_redis().port}
    provider = op.provider(f"hostile-back-{request.param}")
    return Site(make_nginx, upstream, provider, options={"workers": 3},
                backchannel_logout_uri=PATH, **where)


# ---- hostile tokens: name, status, token ---------------------------------------------------------

def claims(**changes):
    return lambda p: logout_token(p, **changes)


def header(**changes):
    return lambda p: logout_token(p, header=changes)


def signed(head, sign):
    return lambda p: compact(head(p), logout_claims(p), lambda data: sign(p, data))


def id_token(p):
    now = int(time.time())
    return compact(p.header(), {"iss": p.issuer, "aud": p.client_id, "sub": "alice", "iat": now,
                                "exp": now + 60, "nonce": "n", **p.claims}, p.signer.sign)


def cut(change):
    return lambda p: change(logout_token(p))


NOW = time.time
HOSTILE = {
    "alg-none": signed(lambda p: {"alg": "none"}, lambda p, d: b""),
    "alg-none-case": signed(lambda p: {"alg": "NoNe", "kid": p.signer.kid}, lambda p, d: b""),
    "hs256-client-secret": signed(lambda p: {"alg": "HS256", "typ": "logout+jwt"},
                                  lambda p, d: hmac_signer("HS256", CLIENT_SECRET.encode())(d)),
    "hs256-public-key": signed(lambda p: {"alg": "HS256", "kid": p.signer.kid},
                               lambda p, d: hmac_signer("HS256", p.signer.public_pem())(d)),
    "stranger-same-kid": signed(lambda p: {"alg": "RS256", "kid": p.signer.kid},
                                lambda p, d: EVIL.sign(d)),
    "stranger-own-kid": signed(lambda p: {"alg": "RS256", "kid": "evil"}, lambda p, d: EVIL.sign(d)),
    "key-in-header": signed(lambda p: {"alg": "RS256", "kid": p.signer.kid, "jwk": EVIL.jwk()},
                            lambda p, d: EVIL.sign(d)),
    "signature-missing": cut(lambda t: t.rpartition(".")[0] + "."),
    "signature-of-another": cut(lambda t: t.rpartition(".")[0] + "." + "A" * 342),
    "two-parts": cut(lambda t: t.rpartition(".")[0]),
    "junk": lambda p: "junk",
    "empty": lambda p: "",
    "payload-swapped": lambda p: ".".join(
        [logout_token(p).split(".")[0], logout_token(p, sub="bob").split(".")[1],
         logout_token(p).split(".")[2]]),
    "duplicate-members": lambda p: compact(
        p.header(), b'{"sid":"x",' + json.dumps(logout_claims(p)).encode()[1:], p.signer.sign),
    "crit": header(crit=["exp"]),
    "typ-access-token": header(typ="at+jwt"),
    "typ-security-event": header(typ="secevent+jwt"),
    "typ-dpop": header(typ="dpop+jwt"),
    "an-id-token": id_token,
    "iss-other": claims(iss="https://evil.test"),
    "iss-missing": claims(iss=None),
    "aud-other": claims(aud="somebody"),
    "aud-stranger-too": claims(aud=["gateway", "somebody"]),
    "aud-missing": claims(aud=None),
    "iat-missing": claims(iat=None),
    "iat-future": claims(iat=int(NOW()) + 86400),
    "exp-missing": claims(exp=None),
    "exp-past": claims(exp=int(NOW()) - 120),
    "exp-string": claims(exp="tomorrow"),
    "exp-far": claims(exp=int(NOW()) + 10 * 365 * 86400),
    "nbf-future": claims(nbf=int(NOW()) + 86400),
    "events-missing": claims(events=None),
    "events-list": claims(events=[EVENT]),
    "events-empty": claims(events={}),
    "events-other": claims(events={"urn:example:other": {}}),
    "event-no-object": claims(events={EVENT: True}),
    "nonce": claims(nonce="n"),
    "jti-missing": claims(jti=None),
    "jti-empty": claims(jti=""),
    "jti-number": claims(jti=5),
    "neither-sid-nor-sub": claims(sid=None),
    "sid-number": claims(sid=5),
    "sid-empty": claims(sid=""),
    "sub-number": claims(sub=5),
    "sub-list": claims(sub=["alice"]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_logout_token_ends_nothing(site, name):
    client = logged_in(site, "sid-hostile", "alice")
    seen = site.nginx.view()
    response = deliver(site.url(PATH), HOSTILE[name](site.provider))
    if response.status == 503:  # nothing can be said of its key now
        assert json.loads(response.body)["error"] == "temporarily_unavailable"
        assert seen.wait_reason(["keys_unavailable"])
    else:
        assert response.status == 400, response
        assert json.loads(response.body)["error"] == "invalid_request"
        assert seen.wait_reason(["logout_token_invalid", "jwt_alg_none", "jwt_alg_not_allowed",
                                 "jwt_key_unknown", "jwt_key_mismatch", "jwt_signature",
                                 "jwt_crit", "jwt_malformed"])
    assert site.echo(client).bearer


def big(p):
    return urlencode({"logout_token": logout_token(p), "padding": "x" * 70_000}).encode()


REQUESTS = {
    "get": (405, lambda p: b"", {"method": "GET"}),
    "put": (405, lambda p: urlencode({"logout_token": logout_token(p)}).encode(),
            {"method": "PUT"}),
    "json": (400, lambda p: json.dumps({"logout_token": logout_token(p)}).encode(),
             {"headers": (("Content-Type", "application/json"),)}),
    "no-type": (400, lambda p: urlencode({"logout_token": logout_token(p)}).encode(),
                {"headers": ()}),
    "no-body": (400, lambda p: b"", {}),
    "other-field": (400, lambda p: urlencode({"token": logout_token(p)}).encode(), {}),
    "twice": (400, lambda p: urlencode([("logout_token", logout_token(p))] * 2).encode(), {}),
    "bad-encoding": (400, lambda p: b"logout_token=%zz", {}),
    "too-large": (413, big, {}),
    "many-fields": (400, lambda p: b"a=1&" * 1000, {}),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_hostile_logout_request_ends_nothing(site, name):
    client = logged_in(site, "sid-hostile", "alice")
    status, body, options = REQUESTS[name]
    response = deliver_raw(site.url(PATH), body(site.provider), **options)
    assert response.status == status, response
    if status == 405:
        assert response.header("Allow") == "POST"
    assert site.echo(client).bearer


def test_token_in_the_query_is_none(site):
    client = logged_in(site, "sid-query")
    query = urlencode({"logout_token": logout_token(site.provider)})
    assert deliver_raw(site.url(f"{PATH}?{query}"), b"").status == 400
    assert site.echo(client).bearer


def test_logins_work_while_strangers_knock(site):
    """Tokens with unknown keys use up no fetch of the keys that a login needs."""
    for number in range(5):
        stranger = SigningKey("RS256", f"stranger-{number}", 66)
        head = {"kid": stranger.kid}
        assert deliver(site.url(PATH),
                       logout_token(site.provider, head, stranger.sign)).status in (400, 503)
    assert logged_in(site, "sid-after")
