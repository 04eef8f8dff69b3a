"""A token endpoint that fails or lies. Each case: status, reason code, nothing at the upstream."""

import json

import pytest
from bench.client import Client
from bench.hostile import Case, Gateway, names
from bench.http_server import Answer
from bench.proc import free_port
from bench.scripted_op import json_answer

HTML = "text/html"


def answers(answer):
    """The token endpoint answers this whatever is asked."""
    def arrange(provider):
        provider.override["token"] = answer
    return arrange


def edits(**changes):
    """The right answer with members changed (None takes one out)."""
    def edit(answer):
        return {k: v for k, v in (answer | changes).items() if v is not None}

    def arrange(provider):
        provider.edit_token_answer = edit
    return arrange


def text(make):
    """The right answer's text, changed by `make`."""
    def arrange(provider):
        provider.override["token"] = lambda request: Answer(
            body=make(provider.right_token(request).body))
    return arrange


def unreachable(provider):
    provider.edit_metadata = lambda m: m | {"token_endpoint": f"http://127.0.0.1:{DEAD}/token"}


DEAD = free_port()
DEEP = b'{"access_token":' + b"[" * 5000 + b"]" * 5000 + b"}"
INVALID = "provider_answer_invalid"
REFUSAL = ("token_request_rejected", "provider_status", INVALID)

CASES = [
    Case("invalid-grant", "token_request_rejected",
         answers(json_answer({"error": "invalid_grant"}, 400))),
    Case("invalid-client-401", "token_client_rejected",
         answers(json_answer({"error": "invalid_client"}, 401))),
    Case("invalid-client-400", "token_client_rejected",
         answers(json_answer({"error": "invalid_client"}, 400))),
    Case("unauthorized-client", ("token_client_rejected", "token_request_rejected"),
         answers(json_answer({"error": "unauthorized_client"}, 400))),
    Case("error-of-markup", REFUSAL,
         answers(json_answer({"error": "<script>alert(1)</script>",
                              "error_description": "reason=state_mismatch\nforged line"}, 400))),
    Case("400-no-json", REFUSAL, answers(Answer(400, b"no", HTML))),
    Case("403-html", REFUSAL, answers(Answer(403, b"<h1>WAF</h1>", HTML))),
    Case("404", REFUSAL, answers(Answer(404, b"not here", HTML))),
    Case("429", ("provider_overloaded", "provider_status"), answers(Answer(429, b"{}"))),
    Case("500", "provider_overloaded", answers(Answer(500, b"oops", HTML))),
    Case("502", "provider_overloaded", answers(Answer(502, b"", HTML))),
    Case("503-json", "provider_overloaded",
         answers(json_answer({"error": "temporarily_unavailable"}, 503))),
    Case("204", ("provider_status", INVALID), answers(Answer(204))),
    Case("201", ("provider_status", INVALID), answers(Answer(201, b"{}"))),
    Case("redirect-302", "provider_status",
         answers(Answer(302, headers=(("Location", "http://127.0.0.1:1/"),)))),
    Case("redirect-307", "provider_status",
         answers(Answer(307, headers=(("Location", "/invalid-grant/token"),)))),
    Case("empty", INVALID, answers(Answer(200, b""))),
    Case("not-json", INVALID, answers(Answer(200, b"access_token=abc&token_type=Bearer"))),
    Case("html-200", INVALID, answers(Answer(200, b"<html>maintenance</html>", HTML))),
    Case("right-json-wrong-type", INVALID,
         lambda p: p.override.update(token=lambda request: Answer(
             body=p.right_token(request).body, content_type=HTML))),
    Case("json-array", INVALID, answers(Answer(200, b"[1,2]"))),
    Case("json-string", INVALID, answers(Answer(200, b'"token"'))),
    Case("json-null", INVALID, answers(Answer(200, b"null"))),
    Case("json-trailing-garbage", INVALID, text(lambda body: body + b"}")),
    Case("json-cut", INVALID, text(lambda body: body[:-5])),
    Case("json-deep", INVALID, answers(Answer(200, DEEP))),
    Case("json-bad-utf8", INVALID,
         text(lambda body: body.replace(b'"openid"', b'"\xff\xfe"'))),
    Case("duplicate-members", INVALID,
         text(lambda body: b'{"id_token":"a.b.c",' + body[1:])),
    Case("huge", "provider_answer_too_large",
         answers(Answer(200, b'{"x":"' + b"a" * 8_000_000 + b'"}'))),
    Case("truncated", "provider_answer_truncated",
         answers(Answer(200, json.dumps({"access_token": "x" * 500}).encode(), truncate=40))),
    Case("closes-early", ("provider_unreachable", "provider_answer_truncated"),
         answers(Answer(close=True))),
    Case("no-http", ("provider_answer_invalid", "provider_unreachable"),
         answers(Answer(raw=b"SSH-2.0-OpenSSH_9.2\r\n"))),
    Case("endless-headers",
         ("provider_answer_too_large", INVALID, "provider_unreachable",
          "provider_answer_truncated"),
         answers(Answer(raw=b"HTTP/1.1 200 OK\r\n" + b"X-Fill: " + b"a" * 400_000 + b"\r\n\r\n"))),
    Case("hangs", "provider_timeout", answers(Answer(hang=True))),
    Case("slow", "provider_timeout", answers(Answer(200, b"{}", delay=4))),
    Case("drips", "provider_timeout", answers(Answer(200, b"{" + b" " * 200, drip=0.1))),
    Case("nobody-listens", "provider_unreachable", unreachable),
    Case("error-with-200", (INVALID, "access_token_missing", "token_request_rejected"),
         answers(json_answer({"error": "invalid_grant"}))),
    Case("no-token-type", ("token_type_unsupported", INVALID), edits(token_type=None)),
    Case("token-type-mac", "token_type_unsupported", edits(token_type="mac")),
    Case("token-type-number", ("token_type_unsupported", INVALID), edits(token_type=7)),
    Case("no-access-token", "access_token_missing", edits(access_token=None)),
    Case("access-token-empty", ("access_token_missing", INVALID), edits(access_token="")),
    Case("access-token-object", ("access_token_missing", INVALID),
         edits(access_token={"a": 1})),
    Case("access-token-splits-headers", (INVALID, "access_token_missing"),
         edits(access_token="abc\r\nX-Injected: yes")),
    Case("access-token-control", (INVALID, "access_token_missing"),
         edits(access_token="abc\u0001def")),
    Case("no-id-token", "id_token_missing", edits(id_token=None)),
    Case("id-token-null", ("id_token_missing", INVALID),
         text(lambda body: json.dumps(json.loads(body) | {"id_token": None}).encode())),
    Case("id-token-number", ("id_token_missing", INVALID), edits(id_token=5)),
]


@pytest.fixture(scope="module")
def gateway(make_nginx, upstream, op):
    return Gateway(make_nginx, upstream, op, CASES)


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_token_endpoint(gateway, case):
    provider = gateway.op.provider(case.name)
    case.arrange(provider)
    client, log = Client(), gateway.nginx.view()
    response = gateway.login(case, client)
    gateway.refused(case, response, log, client)
    if case.name != "nobody-listens":
        # A code is good for one request: it is never sent again (RFC 6749 4.1.2).
        assert provider.count("token") == 1


def test_all_is_well_without_a_fault(make_nginx, upstream, op):
    case = Case("fine", "none", lambda p: None)
    gateway, client = Gateway(make_nginx, upstream, op, [case]), Client()
    response = gateway.login(case, client)
    assert response.status in (302, 303), response
    assert client.navigate(gateway.url(case)).header("X-Upstream") == "yes"
    assert op.provider("fine").violations == []


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER"])
def test_token_type_in_any_case(make_nginx, upstream, op, token_type):
    case = Case(f"type-{token_type}", "none", lambda p: None)
    edits(token_type=token_type)(op.provider(case.name))
    gateway, client = Gateway(make_nginx, upstream, op, [case]), Client()
    assert gateway.login(case, client).status in (302, 303)
