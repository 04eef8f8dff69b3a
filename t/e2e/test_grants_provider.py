"""Passwords as credentials, and a provider that is slow, away or busy; how long an answer counts."""

import threading
import time

import pytest
from bench.access_token import call
from bench.client import Client, Wire
from bench.gateway import Site, protect
from bench.grants import Grants, basic, new_password
from bench.nginx import location
from bench.http_server import Answer
from bench.proc import free_port
from bench.scripted_op import json_answer
from bench.upstream import Echo


@pytest.fixture(scope="module")
def provider(op):
    return op.provider("grants-provider")


@pytest.fixture(scope="module")
def grants(provider):
    return Grants(provider)


@pytest.fixture(scope="module")
def site(make_nginx, upstream, provider, grants):
    proxy = f"proxy_pass {upstream.origin};"
    password = {"auth_methods": "password", "audience_required": "api", "timeout": "2s"}
    away = f"http://127.0.0.1:{free_port()}/token"
    body = "\n".join([
        location("/", protect(provider, **password) + proxy),
        location("/uncached/", protect(provider, **password, cache_tokens="off") + proxy),
        location("/away/", protect(provider, **password, token_endpoint=away) + proxy),
        location("/extras/", protect(
            provider, **password, token_post_arg=["tenant $http_x_tenant", "fixed f-1"],
            token_post_args_client="hint device_name", token_header="X-Gateway g-$http_x_gate",
            token_headers_client="X-Trace") + proxy),
        location("/replay/", protect(
            provider, **password, token_headers_replay="X-Quota X-Upstream") + proxy),
        location("/session/", protect(
            provider, token_post_arg="fixed f-2", token_header="X-Gateway code",
            token_post_args_client="hint", refresh_before="24h",
            token_headers_replay="X-Quota") + proxy),
    ])
    return Site(make_nginx, upstream, provider, body)


@pytest.fixture(autouse=True)
def right(provider, grants):
    yield
    grants.before = None
    provider.token_life = 300


def test_a_hundred_requests_ask_once(site, grants):
    name, password = grants.user()
    go = threading.Event()
    grants.before = lambda request: go.wait(20) and None
    header, value = basic(name, password)
    request = (f"GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}: {value}\r\n"
               "Connection: close\r\n\r\n").encode()
    wires = [Wire(site.port) for _ in range(100)]
    try:
        for wire in wires:
            wire.send(request)
        deadline = time.monotonic() + 20
        while grants.asked(name) == 0:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        go.set()
        assert {wire.receive().status for wire in wires} == {200}
    finally:
        go.set()
        for wire in wires:
            wire.close()
    assert grants.asked(name) == 1


def test_until_the_token_ends(site, provider, grants):
    provider.token_life = 4
    name, password = grants.user()
    assert call(site.url("/x"), basic(name, password)).status == 200
    first = Echo(call(site.url("/x"), basic(name, password)).body).bearer
    deadline = time.monotonic() + 30
    while Echo(call(site.url("/x"), basic(name, password)).body).bearer == first:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert grants.asked(name) >= 2
    # A password that is not good any more ends with it.
    grants.passwords[name] = new_password()
    while call(site.url("/x"), basic(name, password)).status == 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_without_a_cache_each_request_asks(site, grants):
    name, password = grants.user()
    for _ in range(3):
        assert call(site.url("/uncached/x"), basic(name, password)).status == 200
    assert grants.asked(name) == 3


def test_provider_away(site, grants):
    name, password = grants.user()
    for _ in range(2):
        response = call(site.url("/away/x"), basic(name, password))
        assert response.status == 503, response
        assert int(response.header("Retry-After")) > 0
        assert response.header("WWW-Authenticate") is None


@pytest.mark.parametrize("answer, status", [
    (Answer(500, b"broken", "text/plain"), 503),
    (Answer(429, b"slow down", "text/plain"), 503),
    (json_answer({"error": "temporarily_unavailable"}, 400), 503),
    (json_answer({"error": "invalid_client"}, 401), 401),
    (json_answer({"error": "unauthorized_client"}, 400), 401),
    (json_answer({"error": "invalid_grant"}, 400), 401),
    (json_answer({"error": "unsupported_grant_type"}, 400), 401),
    (Answer(200, b"<html>", "text/html"), 502),
    (json_answer({}, 200), 502),
    (json_answer({"access_token": "a b", "token_type": "Bearer"}, 200), 502),
    (Answer(302, b"", None, headers=(("Location", "http://127.0.0.1:1/"),)), 502),
])
def test_what_it_may_say_never_lets_in(site, grants, answer, status):
    name, password = grants.user()
    grants.before = lambda request: answer
    response = call(site.url("/x"), basic(name, password))
    assert response.status == status, response
    assert b"Invalid user" not in response.body
    if status == 503:
        assert response.header("Retry-After")
        grants.before = None
        assert call(site.url("/x"), basic(name, password)).status == 200, "at once"


def test_silence(site, grants):
    name, password = grants.user()
    go = threading.Event()
    grants.before = lambda request: go.wait(20) and None
    try:
        assert call(site.url("/x"), basic(name, password)).status == 504
    finally:
        go.set()


def test_what_else_is_sent(site, grants):
    name, password = grants.user()
    headers = [basic(name, password), ("X-Tenant", "t&1=2"), ("X-Gate", "7"), ("X-Trace", "abc"),
               ("Device-Name", "phone"), ("X-Other", "no")]
    assert call(site.url("/extras/x?hint=h%201&fixed=mine&scope=admin"), *headers).status == 200
    sent = grants.requests(name)[0]
    form = dict(sent.form)
    assert len(form) == len(sent.form), "nothing is there twice"
    assert (form["tenant"], form["fixed"], form["hint"], form["device_name"]) == (
        "t&1=2", "f-1", "h 1", "phone")
    assert form["scope"] == "openid"
    assert sent.header("X-Gateway") == "g-7" and sent.header("X-Trace") == "abc"
    assert sent.header("X-Other") is None
    # Another tenant is another credential.
    assert call(site.url("/extras/x"), headers[0], ("X-Tenant", "t2")).status == 200
    assert grants.asked(name) == 2


def test_no_value_begins_another_header(site, grants):
    name, password = grants.user()
    hostile = [("X-Trace", "a\tb"), ("X-Gate", "\u00e4"), ("Device-Name", "x" * 600)]
    assert call(site.url("/extras/x?hint=%0d%0aX-Evil:%201"), basic(name, password), *hostile
                ).status == 200
    sent = grants.requests(name)[0]
    assert sent.header("X-Evil") is None and sent.header("X-Trace") is None
    assert sent.header("X-Gateway") is None
    form = dict(sent.form)
    assert form["hint"] == "\r\nX-Evil: 1" and "device_name" not in form


def with_headers(provider, *headers):
    def respond(request):
        answer = provider.right_token(request)
        return Answer(answer.status, answer.body, headers=headers)
    return respond


def test_headers_of_the_answer(site, grants):
    name, password = grants.user()
    headers = (("x-QUOTA", " 7 of 9 "), ("X-Other", "no"), ("Set-Cookie", "a=b"),
               ("X-Upstream", "mine"))

    def respond(request):
        grants.before = None
        answer = grants._respond(request)
        return Answer(answer.status, answer.body, headers=headers)
    grants.before = respond
    for _ in range(2):
        response = call(site.url("/replay/x"), basic(name, password))
        assert response.status == 200
        assert response.header("X-Quota") == "7 of 9"
        assert response.header("X-Upstream") == "mine", "in place of the upstream's"
        assert response.header("X-Other") is None and response.all("Set-Cookie") == []
        assert "no-store" in response.header("Cache-Control")
    assert grants.asked(name) == 1
    other, others = grants.user()
    response = call(site.url("/replay/x"), basic(other, others))
    assert response.header("X-Quota") is None and response.header("X-Upstream") == "yes"


def test_headers_of_the_answer_to_a_code(site, provider, grants):
    client = Client()
    provider.claims = {"sub": "alice"}
    grants.before = with_headers(provider, ("X-Quota", "3"))
    assert site.login(client, "/session/page").header("X-Quota") == "3"
    grants.before = None
    assert client.get(site.url("/session/page")).header("X-Quota") is None


def test_code_and_refresh_carry_it_too(site, provider):
    client = Client()
    provider.claims = {"sub": "alice"}
    provider.token_life = 8
    site.login(client, "/session/page")
    sent = provider.last("token")
    assert dict(sent.form)["fixed"] == "f-2" and sent.header("X-Gateway") == "code"
    deadline = time.monotonic() + 30
    while dict(provider.last("token").form)["grant_type"] != "refresh_token":
        assert client.get(site.url("/session/page?hint=mine")).status == 200
        assert time.monotonic() < deadline
        time.sleep(0.2)
    form = dict(provider.last("token").form)
    assert form["fixed"] == "f-2" and "hint" not in form
