"""Many tenants on one nginx: a logout at one ends its sessions and nobody else's.

By the provider, that is all sessions of this issuer and client in this store and under this session
audience, whatever secret, host or cookie name: the index finds them. By the user, it is one session.
"""

from urllib.parse import urlencode

import pytest
from bench.client import FORM
from bench.logout_token import logout_token
from bench.proc import wait_for
from bench.tenants import (
    ADMIN,
    IFRAME,
    NAMES,
    OUT,
    SAME_ORIGIN,
    Tenants,
    remember_of,
    renamed,
    session_of,
    verdict,
)

PAIRS = [(a, b) for a in NAMES for b in NAMES if a != b]
pairs = pytest.mark.parametrize("pair", PAIRS, ids=[f"{a}-at-{b}" for a, b in PAIRS])
each = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def tenants(make_nginx, upstream, op, make_redis, ca):
    return Tenants(make_nginx, upstream, op, make_redis(), ca)


@pytest.fixture(scope="module")
def standing(tenants):
    """Sessions that no test ends."""
    return everywhere(tenants, "standing")


@pytest.fixture
def two(tenants, pair):
    return tenants[pair[0]], tenants[pair[1]]


def everywhere(tenants, user: str) -> dict:
    """One user logs in at all tenants; the provider's session is one, too."""
    tenants.who(user, f"sid-{user}", "staff")
    return {name: tenants[name].login() for name in NAMES}


def indexed_together(a, b) -> bool:
    return a.identity == b.identity and a.store == b.store


def only_ended(tenants, sessions: dict, ended: set) -> None:
    def live() -> set:
        return {name for name in NAMES
                if tenants[name].verdict(session_of(sessions[name])) == (200, "")}
    # A worker that has a session in memory hears of its end from Redis.
    wait_for(f"the end of {ended}", lambda: not live() & ended, 20)
    assert live() == set(NAMES) - ended


def post_token(tenant, token: str):
    return tenant.send(tenant.back, [FORM], body=urlencode({"logout_token": token}).encode())


def token_of(tenant, **changes) -> str:
    return logout_token(tenant.provider, aud=tenant.settings["client_id"], **changes)


# ---- by the provider ---------------------------------------------------------------------------------

@each
@pytest.mark.parametrize("by", ["sub", "sid"])
def test_backchannel(tenants, name, by):
    tenant, user = tenants[name], f"back-{name}-{by}"
    sessions = everywhere(tenants, user)
    whom = {"sub": user, "sid": None} if by == "sub" else {"sid": f"sid-{user}"}
    assert verdict(post_token(tenant, token_of(tenant, **whom))) == (200, "")
    ended = {b for b in NAMES if indexed_together(tenant, tenants[b])}
    only_ended(tenants, sessions, ended)
    for b in NAMES:
        remembered = remember_of(sessions[b])
        if remembered:
            want = (401, "unauthenticated") if b in ended else (200, "")
            assert tenants[b].verdict(remembered) == want, b


@pairs
def test_logout_token_of_another(tenants, two, standing):
    """For another client or of another issuer it is none here, whatever it calls itself."""
    a, b = two
    ours = a.identity[:2] == b.identity[:2]
    token = token_of(a, sub="nobody" if ours else "standing", sid=None)
    assert verdict(post_token(b, token)) == ((200, "") if ours else (400, "logout_token_invalid"))
    assert b.verdict(session_of(standing[b.name])) == (200, "")
    if a.provider is not b.provider:
        forged = logout_token(a.provider, {"kid": b.provider.signer.kid}, iss=b.provider.issuer,
                              aud=b.settings["client_id"], sub="standing", sid=None)
        assert verdict(post_token(b, forged)) == (400, "jwt_signature")
        assert b.verdict(session_of(standing[b.name])) == (200, "")


@each
def test_frontchannel(tenants, name):
    tenant, user = tenants[name], f"front-{name}"
    sessions = everywhere(tenants, user)
    query = urlencode({"iss": tenant.provider.issuer, "sid": f"sid-{user}"})
    assert verdict(tenant.send(f"{tenant.front}?{query}", IFRAME)) == (200, "")
    only_ended(tenants, sessions, {b for b in NAMES if indexed_together(tenant, tenants[b])})


@pairs
def test_frontchannel_of_another(tenants, two, standing):
    """The issuer of A at B; and A's session cookie in an iframe of B's."""
    a, b = two
    if a.provider is not b.provider:
        query = urlencode({"iss": a.provider.issuer, "sid": "sid-standing"})
        assert verdict(b.send(f"{b.front}?{query}", IFRAME)) == (400, "parameter_malformed")
    shared = (indexed_together(a, b) and a.secret == b.secret and a.session == b.session)
    cookies = session_of(standing[a.name])
    if not shared:
        for given in (a.session, b.session):
            response = b.send(b.front, IFRAME, renamed(cookies, a.session, given))
            assert verdict(response) == (200, "")
    assert a.verdict(cookies) == (200, "")
    assert b.verdict(session_of(standing[b.name])) == (200, "")


# ---- by the user and by administrators ---------------------------------------------------------------

@each
def test_logout_of_a_browser_with_sessions_everywhere(tenants, name):
    tenant = tenants[name]
    sessions = everywhere(tenants, f"out-{name}")
    cookies = dict(sessions[name])
    for others in sessions.values():
        cookies = dict(others) | cookies
    response = tenant.send(tenant.path + OUT, SAME_ORIGIN, list(cookies.items()), b"")
    assert (response.status, response.header("X-Outcome")) == (303, "redirect"), response
    only_ended(tenants, sessions, {name})


@pairs
def test_logout_with_the_cookie_of_another(tenants, two, standing):
    a, b = two
    if indexed_together(a, b) and a.secret == b.secret and a.session == b.session:
        tenants.who("shared", "sid-shared", "staff")
        cookies = session_of(a.login())
        assert b.send(b.path + OUT, SAME_ORIGIN, cookies, b"").status == 303
        wait_for("the end", lambda: a.verdict(cookies) == (401, "session_expired"), 20)
        return
    cookies = session_of(standing[a.name])
    for given in (a.session, b.session):
        response = b.send(b.path + OUT, SAME_ORIGIN, renamed(cookies, a.session, given), b"")
        assert (response.status, response.header("X-Outcome")) == (303, "redirect"), response
    assert a.verdict(cookies) == (200, "")


@each
def test_administration(tenants, name):
    tenant, user = tenants[name], f"admin-{name}"
    sessions = everywhere(tenants, user)
    ours = {b for b in NAMES if indexed_together(tenant, tenants[b])}
    for query in (f"subject={user}", f"sid=sid-{user}"):
        listed = tenant.send(f"{tenant.path}{ADMIN}?{query}")
        assert listed.status == 200, listed
        records = listed.json()["sessions"]
        assert len([r for r in records if "created" in r]) == len(ours), listed
        assert len(records) == sum(len(session_of(sessions[b])[:1] + remember_of(sessions[b]))
                                   for b in ours), listed
    ended = tenant.send(f"{tenant.path}{ADMIN}?subject={user}", SAME_ORIGIN, method="DELETE")
    assert (ended.status, ended.json()) == (200, {"ended": len(records)})
    only_ended(tenants, sessions, ours)


def test_nobody_ended_what_stands(tenants, standing):
    only_ended(tenants, standing, set())
