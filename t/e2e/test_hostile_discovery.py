"""Discovery documents that are wrong, late or missing."""

import json

import pytest
from bench.ca import CertificateAuthority
from bench.client import Client
from bench.hostile import Case, Gateway, names
from bench.http_server import Answer
from bench.proc import free_port, make_dir, wait_for
from bench.scripted_op import ScriptedOp, json_answer

DOWN = ("discovery_unavailable", "provider_overloaded", "provider_unreachable")
MISSING = ("discovery_unavailable", "provider_status")
BAD = "discovery_invalid"


def answers(answer):
    def arrange(provider):
        provider.override["openid-configuration"] = answer
    return arrange


def document(**changes):
    def edit(good):
        result = good | {k: v(good) if callable(v) else v for k, v in changes.items()}
        return {k: v for k, v in result.items() if v is not None}

    def arrange(provider):
        provider.edit_metadata = edit
    return arrange


def text(make):
    def arrange(provider):
        provider.override["openid-configuration"] = lambda request: Answer(
            body=make(json.dumps(provider.metadata()).encode()))
    return arrange


def plain(member):
    """The https endpoint, by http."""
    return document(**{member: lambda m: m[member].replace("https:", "http:")})


CASES = [
    Case("issuer-other", "discovery_issuer_mismatch", document(issuer="http://evil.test")),
    Case("issuer-slash", "discovery_issuer_mismatch", document(issuer=lambda m: m["issuer"] + "/")),
    Case("issuer-case", "discovery_issuer_mismatch",
         document(issuer=lambda m: m["issuer"].replace("http:", "HTTP:"))),
    Case("issuer-missing", (BAD, "discovery_issuer_mismatch"), document(issuer=None)),
    Case("issuer-number", (BAD, "discovery_issuer_mismatch"), document(issuer=5)),
    Case("no-authorization-endpoint", BAD, document(authorization_endpoint=None)),
    Case("no-token-endpoint", BAD, document(token_endpoint=None)),
    Case("no-jwks-uri", BAD, document(jwks_uri=None)),
    Case("endpoint-javascript", BAD, document(authorization_endpoint="javascript:alert(1)")),
    Case("endpoint-file", BAD, document(token_endpoint="file:///etc/passwd")),
    Case("endpoint-relative", BAD, document(token_endpoint="/token")),
    Case("endpoint-splits-headers", BAD,
         document(authorization_endpoint="http://127.0.0.1/\r\nSet-Cookie: a=b")),
    Case("endpoint-number", BAD, document(token_endpoint=5)),
    Case("endpoint-user-info", BAD, document(token_endpoint="http://user:pw@127.0.0.1/token")),
    Case("pkce-plain-only", "pkce_unsupported",
         document(code_challenge_methods_supported=["plain"])),
    Case("garbage", BAD, answers(Answer(200, b"<html>", "text/html"))),
    Case("empty", BAD, answers(Answer(200, b""))),
    Case("array", BAD, answers(Answer(200, b"[]"))),
    Case("duplicate-members", BAD,
         text(lambda t: t[:-1] + b',"issuer":"http://evil.test"}')),
    Case("deep", BAD, text(lambda t: t[:-1] + b',"x":' + b"[" * 300 + b"]" * 300 + b"}")),
    Case("bad-utf8", BAD, text(lambda t: t[:-1] + b',"x":"\xff"}')),
    Case("huge", ("provider_answer_too_large", "discovery_unavailable"),
         text(lambda t: t[:-1] + b',"x":"' + b"a" * 8_000_000 + b'"}')),
    Case("truncated", ("provider_answer_truncated", "discovery_unavailable"),
         answers(Answer(200, b'{"issuer":"' + b"a" * 500 + b'"}', truncate=40))),
    Case("404", MISSING, answers(Answer(404, b"", "text/html"))),
    Case("403", MISSING, answers(Answer(403, b"", "text/html"))),
    Case("500", DOWN, answers(Answer(500))),
    Case("redirect", MISSING,
         answers(Answer(302, headers=(("Location", "/fine/.well-known/openid-configuration"),)))),
    Case("hangs", ("provider_timeout", "discovery_unavailable"), answers(Answer(hang=True))),
    Case("drips", ("provider_timeout", "discovery_unavailable"),
         answers(Answer(200, b"{" + b" " * 400, drip=0.05))),
    Case("closes", ("provider_unreachable", "discovery_unavailable",
                    "provider_answer_truncated"), answers(Answer(close=True))),
]

HTTPS_CASES = [
    Case("http-token-endpoint", BAD, plain("token_endpoint")),
    Case("http-authorization-endpoint", BAD, plain("authorization_endpoint")),
    Case("http-jwks-uri", BAD, plain("jwks_uri")),
    Case("http-end-session", BAD, plain("end_session_endpoint")),
]


@pytest.fixture(scope="module")
def gateway(make_nginx, upstream, op):
    return Gateway(make_nginx, upstream, op, CASES)


@pytest.fixture(scope="module")
def https_gateway(make_nginx, upstream, https_op, ca):
    return Gateway(make_nginx, upstream, https_op, HTTPS_CASES, ca)


def refused(gateway, case):
    case.arrange(gateway.op.provider(case.name))
    client, log = Client(), gateway.nginx.view()
    response = client.navigate(gateway.url(case))
    gateway.refused(case, response, log)
    assert client.jar == {}, "a login that cannot start leaves no cookie"


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_discovery(gateway, case):
    refused(gateway, case)


@pytest.mark.parametrize("case", HTTPS_CASES, ids=names(HTTPS_CASES))
def test_https_issuer_has_only_https_endpoints(https_gateway, case):
    refused(https_gateway, case)


@pytest.mark.parametrize("problem", ["wrong-ca", "wrong-name", "expired"])
def test_provider_certificate(make_nginx, upstream, ca, problem):
    signer = CertificateAuthority(make_dir("ca"), "stranger CA") if problem == "wrong-ca" else ca
    wrong = signer.issue(problem, ["other.test"] if problem == "wrong-name" else ["127.0.0.1"],
                         days=-1 if problem == "expired" else 30)
    op = ScriptedOp(certificate=wrong)
    case = Case(problem, ("provider_tls", "discovery_unavailable"), lambda p: None)
    try:
        refused(Gateway(make_nginx, upstream, op, [case], ca), case)
        assert op.provider(problem).requests == []
    finally:
        op.stop()


def test_issuer_with_terminating_slash(make_nginx, upstream, op):
    """Discovery 4.1: the slash goes before the well-known path, and stays in the comparison."""
    provider = op.provider("slash")
    provider.edit_metadata = lambda m: m | {"issuer": provider.issuer + "/"}
    provider.edit_claims = lambda c: c | {"iss": provider.issuer + "/"}
    provider.edit_callback = lambda fields: [
        (n, v + "/" if n == "iss" else v) for n, v in fields]
    case = Case("slash", "none", lambda p: None, {"issuer": provider.issuer + "/"})
    gateway, client = Gateway(make_nginx, upstream, op, [case]), Client()
    assert gateway.login(case, client).status in (302, 303)


def test_well_known_url_as_issuer(make_nginx, upstream, op):
    url = op.provider("wellknown").issuer + "/.well-known/openid-configuration"
    case = Case("wellknown", "none", lambda p: None, {"issuer": url})
    gateway = Gateway(make_nginx, upstream, op, [case])
    assert gateway.login(case, Client()).status in (302, 303)


def test_endpoint_query_is_kept(make_nginx, upstream, op):
    document(authorization_endpoint=lambda m: m["authorization_endpoint"] + "?tenant=a&b=c%20d")(
        op.provider("query"))
    gateway = Gateway(make_nginx, upstream, op, [Case("query", "none", lambda p: None)])
    location = Client().navigate(f"{gateway.origin}/query/page").location
    assert "/authorize?tenant=a&b=c%20d&" in location, location


def test_provider_down_at_start_recovers_by_itself(make_nginx, upstream, op):
    provider = op.provider("late")
    provider.override["openid-configuration"] = json_answer({}, 503)
    case = Case("late", DOWN, lambda p: None)
    gateway = Gateway(make_nginx, upstream, op, [case])
    log = gateway.nginx.view()
    gateway.refused(case, Client().navigate(gateway.url(case)), log)
    provider.override.clear()

    def works():
        return Client().navigate(gateway.url(case)).status in (302, 303)
    wait_for("logins work again", works, 30, 0.3)
    assert gateway.login(case, Client()).status in (302, 303)


def test_nothing_is_asked_before_the_first_login(make_nginx, upstream, op):
    """Lazily: nginx starts although nobody answers, and other locations are served."""
    provider = op.provider("lazy")
    case = Case("lazy", "none", lambda p: None)
    gateway = Gateway(make_nginx, upstream, op, [case])
    assert Client().get(f"{gateway.origin}/elsewhere").status == 404
    assert provider.requests == []
    dead = Case("dead", ("provider_unreachable", "discovery_unavailable"), lambda p: None,
                {"issuer": f"http://127.0.0.1:{free_port()}/x"})
    gateway = Gateway(make_nginx, upstream, op, [dead])
    log = gateway.nginx.view()
    gateway.refused(dead, Client().navigate(gateway.url(dead)), log)
