"""Many tenants on one nginx, every ordered pair: what one has made opens nothing at another.

Each differs from the first in one thing (bench/tenants.py). Two share a session when issuer, client,
session audience, session secret, store and the cookie's name are the same, whatever host or location:
that is what the directives promise, and it is asserted as well.
"""

import pytest
from bench.tenants import (
    NAMES,
    Tenants,
    cookies_of,
    remember_of,
    renamed,
    session_of,
    verdict,
)

PAIRS = [(a, b) for a in NAMES for b in NAMES if a != b]
pairs = pytest.mark.parametrize("pair", PAIRS, ids=[f"{a}-at-{b}" for a, b in PAIRS])


@pytest.fixture(scope="module")
def tenants(make_nginx, upstream, op, make_redis, ca):
    return Tenants(make_nginx, upstream, op, make_redis(), ca)


@pytest.fixture(scope="module")
def sessions(tenants):
    """The cookies of one session of each: alice's, who is of the staff at the one that wants it."""
    tenants.who("alice", "sid-alice", "staff")
    made = {"rules": tenants["rules"].login()}
    tenants.who("alice", "sid-alice")
    return made | {name: tenants[name].login() for name in NAMES if name not in made}


@pytest.fixture(scope="module")
def pendings(tenants):
    """One login of each that has not come back yet."""
    return {name: tenants[name].begin() for name in NAMES}


@pytest.fixture
def two(tenants, pair):
    return tenants[pair[0]], tenants[pair[1]]


def sealed_alike(a, b) -> bool:
    return a.identity == b.identity and a.secret == b.secret


def admitted(b) -> tuple[int, str]:
    return (403, "forbidden") if b.roles else (200, "")


def opens_nothing(tenants, tenant, cookies, want) -> None:
    """Whatever it is, it is refused as expected, or let in as promised; no refused request goes on."""
    seen = len(tenants.upstream.requests)
    response = tenant.send(tenant.path + "page", cookies=cookies)
    assert verdict(response) == want, response
    assert len(tenants.upstream.requests) - seen == (want[0] == 200)
    if want[0] != 200:
        assert cookies_of(response) == [], response


# ---- sessions ----------------------------------------------------------------------------------------

def session_at(a, b, given: str) -> tuple[int, str]:
    """A's session cookie, sent to B as `given`."""
    if given != b.session:
        return 401, "unauthenticated"
    if a.session != b.session or not sealed_alike(a, b):
        return 401, "session_invalid"
    if a.store != b.store:
        return (401, "session_record_invalid") if b.store == "cookie" else (401, "session_expired")
    return admitted(b)


def test_each_opens_its_own(tenants, sessions):
    for name in NAMES:
        assert tenants[name].verdict(session_of(sessions[name])) == (200, ""), name


@pairs
def test_session(tenants, two, sessions):
    """As it is, and under the name that B reads; the parts of a session in cookies are with it."""
    a, b = two
    cookies = session_of(sessions[a.name])
    opens_nothing(tenants, b, cookies, session_at(a, b, a.session))
    opens_nothing(tenants, b, renamed(cookies, a.session, b.session), session_at(a, b, b.session))


@pairs
def test_session_beside_one_of_ones_own(tenants, two, sessions):
    """What B cannot open does not disturb. What it can is a second session: neither counts."""
    a, b = two
    planted = renamed(session_of(sessions[a.name]), a.session, b.session)
    conflict = a.session == b.session and sealed_alike(a, b)
    want = (401, "cookie_conflict") if conflict else (200, "")
    mine = session_of(sessions[b.name])
    if b.store == "cookie" and a.store == "cookie":
        planted = planted[:1]
    opens_nothing(tenants, b, mine + planted, want)
    opens_nothing(tenants, b, planted + mine, want)


# ---- remember cookies --------------------------------------------------------------------------------

@pytest.mark.parametrize("pair", [p for p in PAIRS if p[0] != "cookie"],
                         ids=[f"{a}-at-{b}" for a, b in PAIRS if a != "cookie"])
def test_remember_cookie(tenants, two, sessions):
    a, b = two
    shared = (a.remember == b.remember and sealed_alike(a, b) and a.store == b.store)
    if shared:  # it is used up by that
        cookies = remember_of(a.login())
        response = b.send(b.path + "page", cookies=cookies)
        assert verdict(response) == admitted(b)
        assert sorted(n for n, _ in cookies_of(response)) == sorted([b.session, b.remember])
        return
    cookies = remember_of(sessions[a.name])
    opens_nothing(tenants, b, cookies, (401, "unauthenticated"))
    opens_nothing(tenants, b, renamed(cookies, a.remember, b.remember or b.session),
                  (401, "unauthenticated" if b.remember else "session_invalid"))


def test_each_remembers_its_own(tenants, sessions):
    """What the others refused still does at home."""
    for name in NAMES:
        cookies = remember_of(sessions[name])
        if cookies:
            assert tenants[name].verdict(cookies) == (200, ""), name


# ---- pending logins ----------------------------------------------------------------------------------

def pending_at(a, b, given: str) -> tuple[int, str]:
    """The answer of the provider to A's login, with A's cookie under the name `given`, at B."""
    if not sealed_alike(a, b):
        return 400, "state_invalid"
    if given != b.pending or a.pending != b.pending:
        return 400, "login_cookie_missing"
    same = (a.origin, a.callback) == (b.origin, b.callback)
    return (302, "") if same else (400, "redirect_uri_mismatch")


def asked_for_tokens(tenants) -> int:
    return sum(p.count("token") for p in tenants.op.providers.values())


def finishes_nothing(tenants, b, pending, cookies, want) -> None:
    asked = asked_for_tokens(tenants)
    response = b.deliver(pending.delivery, cookies)
    assert verdict(response) == want, response
    assert asked_for_tokens(tenants) - asked == (want[0] == 302)
    if want[0] != 302:
        assert cookies_of(response) == [], response


@pairs
def test_pending_login(tenants, two, pendings):
    a, b = two
    for given in {a.pending, b.pending}:
        want = pending_at(a, b, given)
        # Where it may end at either, as gateways of one name behind a balancer, it does so once.
        pending = a.begin() if want[0] == 302 else pendings[a.name]
        finishes_nothing(tenants, b, pending, renamed(pending.cookies, a.pending, given), want)
        if want[0] == 302:
            finishes_nothing(tenants, a, pending, pending.cookies, (400, "state_replayed"))


@pairs
def test_answer_beside_a_login_of_ones_own(tenants, two, pendings):
    """A's state and code, with the cookie of B's login under its own name and under that of A's."""
    a, b = two
    foreign, [(name, value)] = pendings[a.name], pendings[b.name].cookies
    [(other, _)] = foreign.cookies
    want = (400, "login_cookie_missing") if sealed_alike(a, b) else (400, "state_invalid")
    for given in (name, renamed([(other, "")], a.pending, b.pending)[0][0]):
        finishes_nothing(tenants, b, foreign, [(given, value)], want)


def test_each_finishes_its_own(tenants, pendings):
    """All those refusals used nothing up."""
    for name in NAMES:
        response = tenants[name].deliver(pendings[name].delivery, pendings[name].cookies)
        assert response.status == 302, (name, response)
        assert response.location == tenants[name].origin + tenants[name].path + "page"


# ---- codes -------------------------------------------------------------------------------------------

@pytest.fixture(params=["strict", "lax"])
def provider_is(request, tenants):
    """`lax`: the provider takes any code from any client of its, whatever it was made for."""
    for provider in tenants.op.providers.values():
        provider.lax = request.param == "lax"
    yield request.param
    for provider in tenants.op.providers.values():
        provider.lax = False


@pairs
def test_code(tenants, two, provider_is):
    """The code of A's login in the answer to one of B: the nonce does what the provider did not."""
    a, b = two
    code = a.begin().delivery.field("code")
    pending = b.begin()
    fields = dict(pending.delivery.fields) | {"code": code}
    pending.delivery = pending.delivery.with_fields(fields)
    knows = provider_is == "lax" and a.provider is b.provider
    response = b.deliver(pending.delivery, pending.cookies)
    assert verdict(response) == ((502, "id_token_nonce") if knows else
                                 (400, "token_request_rejected")), response
    assert cookies_of(response) == []


@pairs
def test_issuer_of_the_answer(tenants, two):
    """All of A's answer but the state: refused before it is used, where the issuer is another."""
    a, b = two
    pending, foreign = b.begin(), a.begin()
    fields = dict(foreign.delivery.fields) | {"state": pending.delivery.field("state")}
    pending.delivery = pending.delivery.with_fields(fields)
    asked = asked_for_tokens(tenants)
    response = b.deliver(pending.delivery, pending.cookies)
    same = a.provider is b.provider
    assert verdict(response) == ((400, "token_request_rejected") if same else
                                 (400, "iss_mismatch")), response
    assert asked_for_tokens(tenants) - asked == same
