"""Cookies and records that are none: no session, one line with the reason for each request, and
`$oidc_error` for whoever counts."""

import time

import pytest
from bench.client import NAVIGATION, XHR, Client
from bench.gateway import SESSION_SECRET, Site


@pytest.fixture(scope="module")
def provider(op):
    return op.provider("hostile-session")


@pytest.fixture(scope="module")
def redis(make_redis):
    return make_redis()


@pytest.fixture(scope="module")
def site(make_nginx, upstream, provider, redis):
    # Without the cache each request reads its record.
    return Site(make_nginx, upstream, provider, http="oidc_session_cache off;\n",
                session_storage="redis", session_secret=SESSION_SECRET,
                redis_host="127.0.0.1", redis_port=redis.port)


def counted(site, reason, seen):
    """The access log's lines with this reason that came after the first `seen` bytes."""
    end = time.monotonic() + 5
    while True:
        text = site.nginx.access_log.read_text(errors="replace")[seen:]
        lines = [line for line in text.splitlines() if f"error={reason} " in line]
        # The line of an earlier request may come late, too.
        if (lines and text.endswith("\n")) or time.monotonic() > end:
            return lines
        time.sleep(0.01)


def expect_one_line(site, client, reason):
    for headers, statuses, outcome in ((NAVIGATION, (302, 303), "redirect"),
                                       (XHR, (401,), "denied")):
        log, seen = site.nginx.view(), site.nginx.access_log.stat().st_size
        asked = len(site.upstream.requests)
        response = client.request("GET", site.url("/hostile"), headers)
        assert response.status in statuses, response
        assert len(site.upstream.requests) == asked
        assert log.wait_reason([reason]) == reason
        lines = counted(site, reason, seen)
        assert len(lines) == 1 and f"outcome={outcome} " in lines[0], lines
        assert log.reasons() == [reason]


def with_cookie(site, change):
    """A browser whose session cookie was changed."""
    client = Client()
    site.login(client)
    for cookie in client.cookies():
        if "session" in cookie.name:
            cookie.value = change(cookie.value)
    return client


def flip(text, at):
    other = "A" if text[at] != "A" else "B"
    return text[:at] + other + text[at + 1:]


COOKIES = {
    "first character": lambda value: flip(value, 0),
    "in the sid": lambda value: flip(value, 12),
    "in the MAC": lambda value: flip(value, len(value) - 2),
    "cut": lambda value: value[:-1],
    "longer": lambda value: value + "A",
    "half": lambda value: value[:30],
    "of another kind": lambda value: "A" * 63,
    "quotes and bytes": lambda value: '"\xff\x01' + value,
    "very long": lambda value: value * 60,
}


@pytest.mark.parametrize("how", COOKIES)
def test_cookie(site, how):
    expect_one_line(site, with_cookie(site, COOKIES[how]), "session_invalid")


def test_cookie_of_another_tenant(site, make_nginx, upstream, provider, redis):
    """The same secret and the same name of the cookie; another audience."""
    settings = {"session_storage": "redis", "session_secret": SESSION_SECRET,
                "redis_host": "127.0.0.1", "redis_port": redis.port, "session_cookie_name": "shared"}
    one, other = (Site(make_nginx, upstream, provider, session_audience=name, **settings)
                  for name in ("one", "other"))
    client = Client()
    one.login(client)
    expect_one_line(other, client, "session_invalid")


RECORDS = {
    "a bit changed": lambda value, other: value[:60] + bytes([value[60] ^ 1]) + value[61:],
    "another generation": lambda value, other: bytes([value[0] ^ 128]) + value[1:],
    "cut": lambda value, other: value[:-1],
    "short": lambda value, other: value[:8],
    "longer": lambda value, other: value + b"\0",
    "another session's": lambda value, other: other,
    "garbage": lambda value, other: b"\xff" * 500,
}


@pytest.mark.parametrize("how", RECORDS)
def test_record(site, redis, how):
    client, stranger = Client(), Client()
    before = set(redis.records())
    site.login(client)
    ours = [key for key in redis.records() if key not in before]
    site.login(stranger)
    theirs = [key for key in redis.records() if key not in before and key not in ours]
    assert len(ours) == 1 and len(theirs) == 1
    value, other = redis.command("GET", ours[0]), redis.command("GET", theirs[0])
    redis.command("SET", ours[0], RECORDS[how](value, other), "KEEPTTL")
    expect_one_line(site, client, "session_record_invalid")
    site.login(client)  # the way back in
    assert site.echo(client).bearer
