"""What the HTTP client does with good, bad and hostile providers."""

import base64
import socket
import threading
import time

import pytest

BIG = 1024 * 1024


def url(server, path, host="127.0.0.1", scheme="http"):
    return f"{scheme}://{host}:{server.port}/{path}"


def test_a_plain_answer(nginx, bench):
    answer = nginx.fetch(url(bench.plain, "ok"))
    assert (answer.code, answer.status, answer.body) == (200, 200, '{"ok":true}')
    assert answer.type == "application/json"


def test_what_is_sent(nginx, bench):
    answer = nginx.fetch(url(bench.plain, "echo/a/../b?x=1"))
    head = answer.body.split("\n\n")[0].split("\n")
    assert head[0] == "GET /echo/a/../b?x=1 HTTP/1.1"
    assert sorted(head[1:]) == sorted(
        [
            f"Host: 127.0.0.1:{bench.plain.port}",
            "User-Agent: ngx_openid_connect",
            "Accept: application/json",
        ]
        + [line for line in head[1:] if line == ""]
    )


def test_a_post(nginx, bench):
    answer = nginx.fetch(url(bench.plain, "echo"), post="grant_type=x&code=y")
    head, _, body = answer.body.partition("\n\n")
    assert body == "grant_type=x&code=y"
    assert head.startswith("POST /echo HTTP/1.1")
    assert "Authorization: Basic dXNlcjpwYXNz" in head
    assert "Content-Type: application/x-www-form-urlencoded" in head
    assert "Content-Length: 19" in head
    assert "Expect" not in head


def test_a_large_post_is_sent_at_once(nginx, bench):
    answer = nginx.fetch(url(bench.plain, "echo"), post="a" * 3000)
    assert answer.body.endswith("\n\n" + "a" * 3000)


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\nb"])
def test_a_header_with_a_line_break_is_not_sent(nginx, bench, value):
    before = len(bench.plain.requests)
    answer = nginx.fetch(url(bench.plain, "echo"), header=value)
    assert answer.reason == "internal"
    assert len(bench.plain.requests) == before


@pytest.mark.parametrize("status", [201, 204, 400, 401, 500, 503])
def test_any_complete_answer_is_a_value(nginx, bench, status):
    if status == 204:
        answer = nginx.fetch(url(bench.plain, "bytes/0"))
        assert (answer.status, answer.body) == (200, "")
    else:
        answer = nginx.fetch(url(bench.plain, f"status/{status}"))
        assert (answer.status, answer.body) == (status, "status")


def test_redirects_are_not_followed(nginx, bench):
    before = len(bench.plain.requests)
    assert nginx.fetch(url(bench.plain, "redirect")).status == 302
    assert len(bench.plain.requests) == before + 1


def test_trailers_and_interim_answers(nginx, bench):
    assert nginx.fetch(url(bench.plain, "trailers")).body == "with trailers"


def test_chunked(nginx, bench):
    answer = nginx.fetch(url(bench.plain, "chunked/5/1000"))
    assert answer.body == "y" * 5000


def test_until_close(nginx, bench):
    assert nginx.fetch(url(bench.plain, "untilclose")).body == "all of it"


def test_connections_are_kept(nginx, bench):
    nginx.fetch(url(bench.plain, "ok"))
    before = bench.plain.connections
    for _ in range(20):
        assert nginx.fetch(url(bench.plain, "ok")).status == 200
    assert bench.plain.connections == before


def test_connections_are_not_kept_when_told(nginx, bench):
    before = bench.plain.connections
    for _ in range(5):
        assert nginx.fetch(url(bench.plain, "ok"), "/fresh").status == 200
    assert bench.plain.connections == before + 5


def test_a_kept_connection_that_the_provider_closed(nginx, bench):
    nginx.fetch(url(bench.plain, "ok"))
    for connection in list(bench.plain.open):
        connection.shutdown(socket.SHUT_RDWR)
    time.sleep(0.1)
    assert nginx.fetch(url(bench.plain, "ok"), post="x=1").status == 200


@pytest.mark.parametrize("path", [f"bytes/{BIG}", "chunked/1024/1024"])
def test_as_large_as_allowed(nginx, bench, path):
    assert len(nginx.fetch(url(bench.plain, path)).body) == BIG


@pytest.mark.parametrize("path", [f"bytes/{BIG + 1}", "chunked/1025/1024", "chunked/1/2000000"])
def test_larger_than_allowed(nginx, bench, path):
    answer = nginx.fetch(url(bench.plain, path))
    assert answer.reason == "provider_answer_too_large"
    assert f"more than {BIG} bytes" in answer.body


def test_the_limit_is_the_callers(nginx, bench):
    assert nginx.fetch(url(bench.plain, "bytes/100"), max=100).status == 200
    assert nginx.fetch(url(bench.plain, "bytes/101"), max=100).reason == "provider_answer_too_large"


@pytest.mark.parametrize("path", ["headers", "interim"])
def test_endless_headers(nginx, bench, path):
    started = time.monotonic()
    answer = nginx.fetch(url(bench.plain, path))
    assert answer.reason == "provider_answer_too_large", answer
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("path", ["cut", "cuthead", "reset", "chunked/3/100/cut", "badchunk"])
def test_truncated(nginx, bench, path):
    assert nginx.fetch(url(bench.plain, path)).reason == "provider_answer_truncated"


@pytest.mark.parametrize("path", ["close", "garbage"])
def test_no_answer(nginx, bench, path):
    answer = nginx.fetch(url(bench.plain, path))
    assert answer.reason == "provider_unreachable"
    assert f"127.0.0.1:{bench.plain.port}" in answer.body


def test_refused(nginx):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answer = nginx.fetch(f"http://127.0.0.1:{port}/ok?code=secret")
    assert answer.reason == "provider_unreachable"
    assert f"127.0.0.1:{port}" in answer.body
    assert "secret" not in answer.body


@pytest.mark.parametrize(
    "bad", ["ftp://127.0.0.1/", "file:///etc/passwd", "/ok", "http://user:pw@127.0.0.1/", "http://"]
)
def test_other_urls(nginx, bad):
    answer = nginx.fetch(bad)
    assert answer.reason == "invalid_configuration"
    assert "pw" not in answer.body


def test_slow_but_in_time(nginx, bench):
    assert nginx.fetch(url(bench.plain, "slow/1000")).body == "slow answer, in pieces"


@pytest.mark.parametrize("path", ["hang", "drip"])
def test_too_slow(nginx, bench, path):
    started = time.monotonic()
    answer = nginx.fetch(url(bench.plain, path), "/short")
    assert answer.reason == "provider_timeout"
    assert 0.5 < time.monotonic() - started < 2


def test_a_server_that_accepts_no_connection(nginx):
    """Connecting has a third of the time."""
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(full.getsockname())
        fillers.append(filler)
    time.sleep(0.1)
    started = time.monotonic()
    answer = nginx.fetch(f"http://127.0.0.1:{full.getsockname()[1]}/", "/nodns")
    taken = time.monotonic() - started
    for each in [full, *fillers]:
        each.close()
    if answer.reason == "provider_timeout":
        assert 0.9 < taken < 2.5
    else:  # a kernel that refuses instead of dropping
        assert answer.reason == "provider_unreachable"


def test_others_do_not_wait(nginx, bench):
    """The provider holds 150 calls; the worker's other traffic does not notice."""
    before = bench.plain.gone
    held = []
    for _ in range(150):
        connection = nginx.connect()
        connection.request("GET", nginx.path(url(bench.plain, "hang")))
        held.append(connection)
    delays = []
    end = time.monotonic() + 2.5
    connection = nginx.connect()
    while time.monotonic() < end:
        started = time.monotonic()
        connection.request("GET", "/plain")
        assert connection.getresponse().read() == b"plain"
        delays.append(time.monotonic() - started)
    print(f"\n{len(delays)} requests beside 150 held calls, worst {max(delays) * 1000:.1f} ms")
    assert max(delays) < 0.3
    reasons = {nginx_answer(each).reason for each in held}
    assert reasons == {"provider_timeout"}
    assert bench.plain.gone > before


def nginx_answer(connection):
    from conftest import Answer

    answer = Answer(connection.getresponse())
    connection.close()
    return answer


def test_calls_beyond_the_limit_get_their_turn(nginx, bench):
    """More calls at once than connections to one provider are allowed: they queue."""
    connections = []
    for _ in range(150):
        connection = nginx.connect()
        connection.request("GET", nginx.path(url(bench.plain, "slow/300")))
        connections.append(connection)
    answers = [nginx_answer(each) for each in connections]
    assert {answer.body for answer in answers} == {"slow answer, in pieces"}


def test_a_client_that_leaves_cancels(nginx, bench):
    before = bench.plain.gone
    clients = []
    for _ in range(10):
        client = socket.create_connection(("127.0.0.1", nginx.port))
        path = nginx.path(url(bench.plain, "hang"))
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        clients.append(client)
    time.sleep(0.3)
    started = time.monotonic()
    for client in clients:
        client.close()
    while bench.plain.gone < before + 10:
        assert time.monotonic() - started < 1.5, "the calls were not given up"
        time.sleep(0.02)


def test_clients_that_leave_at_once(nginx, bench):
    """At any stage: resolving, connecting, sending, waiting."""
    for host in ["127.0.0.1", "good.test", "silent.test", "both.test"]:
        for pause in [0, 0.0005, 0.002]:
            for scheme, server in [("http", bench.plain), ("https", bench.secure)]:
                client = socket.create_connection(("127.0.0.1", nginx.port))
                path = nginx.path(url(server, "slow/100", host=host, scheme=scheme))
                client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                time.sleep(pause)
                client.close()
    assert nginx.fetch(url(bench.plain, "ok")).status == 200


# ---- TLS -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "good.test"])
def test_tls(nginx, bench, host):
    assert nginx.fetch(url(bench.secure, "ok", host=host, scheme="https")).status == 200


@pytest.mark.parametrize("location", ["/other", "/untrusting", "/system"])
def test_tls_of_an_authority_that_is_not_trusted(nginx, bench, location):
    # A client that trusts it has a connection open: it must not be used by one that does not.
    assert nginx.fetch(url(bench.secure, "ok", host="localhost", scheme="https")).status == 200
    before = len(bench.secure.requests)
    answer = nginx.fetch(url(bench.secure, "ok", host="localhost", scheme="https"), location)
    assert answer.reason == "provider_tls"
    assert "localhost" in answer.body and "certificate" in answer.body
    assert len(bench.secure.requests) == before


def test_tls_of_another_host(nginx, bench):
    before = len(bench.secure.requests)
    answer = nginx.fetch(url(bench.secure, "ok", host="wrong.test", scheme="https"))
    assert answer.reason == "provider_tls"
    assert "wrong.test" in answer.body
    assert len(bench.secure.requests) == before


def test_tls_unverified(nginx, bench):
    answer = nginx.fetch(url(bench.secure, "ok", scheme="https"), "/unverified")
    assert answer.status == 200


def test_tls_to_a_plain_server(nginx, bench):
    answer = nginx.fetch(url(bench.plain, "ok", scheme="https"))
    assert answer.reason == "provider_tls"


def test_revocation(nginx, bench):
    good = url(bench.secure, "ok", host="localhost", scheme="https")
    assert nginx.fetch(good, "/current").status == 200
    answer = nginx.fetch(good, "/revoked")
    assert answer.reason == "provider_tls"
    assert "revoked" in answer.body


def test_client_certificate(nginx, bench):
    mutual = url(bench.mutual, "ok", host="localhost", scheme="https")
    assert nginx.fetch(mutual, "/client").status == 200
    answer = nginx.fetch(mutual)
    assert answer.reason in ("provider_tls", "provider_unreachable")


# ---- names ---------------------------------------------------------------------------------------


def test_ipv6(nginx, bench):
    assert nginx.fetch(url(bench.plain6, "ok", host="[::1]")).status == 200
    assert nginx.fetch(url(bench.plain6, "ok", host="six.test")).status == 200


def test_localhost_needs_no_name_server(nginx, bench):
    before = len(bench.dns.queries)
    assert nginx.fetch(url(bench.plain, "ok", host="localhost"), "/nodns").status == 200
    assert nginx.fetch(url(bench.plain, "ok", host="LocalHost"), "/nodns").status == 200
    assert nginx.fetch(url(bench.plain6, "ok", host="sub.localhost"), "/nodns").status == 200
    assert len(bench.dns.queries) == before


def test_the_resolver_directive(nginx, bench):
    assert nginx.fetch(url(bench.plain, "ok", host="good.test")).status == 200
    assert ("good.test", 1) in bench.dns.queries
    assert nginx.fetch(url(bench.plain, "ok", host="GOOD.test")).status == 200


def test_the_next_address_is_tried(nginx, bench):
    assert nginx.fetch(url(bench.plain, "ok", host="both.test")).status == 200
    assert nginx.fetch(url(bench.plain6, "ok", host="both.test")).status == 200


def test_no_address_answers(nginx, bench):
    answer = nginx.fetch(url(bench.plain, "ok", host="dead.test"))
    assert answer.reason in ("provider_unreachable", "provider_timeout")
    assert "dead.test" in answer.body


@pytest.mark.parametrize(
    "host, reason",
    [
        ("absent.test", "provider_unreachable"),
        ("failing.test", "provider_unreachable"),
        ("silent.test", "provider_timeout"),
    ],
)
def test_names_that_do_not_resolve(nginx, host, reason):
    answer = nginx.fetch(f"http://{host}/?code=secret", "/short")
    assert answer.reason == reason
    assert f"could not resolve {host}" in answer.body
    assert "secret" not in answer.body


def addresses(nginx, host, location="/nodns"):
    answer = nginx.get(f"{location}?dns={host}")
    assert answer.code == 200, answer
    return answer.body.split()


def test_the_hosts_file(nginx, bench):
    before = len(bench.dns.queries)
    assert addresses(nginx, "hosted.test") == ["127.0.0.1", "::1"]
    assert addresses(nginx, "ALIAS.test.") == ["127.0.0.1"]
    assert addresses(nginx, "hosted.test", "/fetch") == ["127.0.0.1", "::1"]
    assert len(bench.dns.queries) == before
    assert nginx.fetch(url(bench.plain, "ok", host="hosted.test"), "/nodns").status == 200
    assert nginx.get("/short?dns=broken.test").reason == "provider_unreachable"


def test_the_search_list(nginx, bench):
    assert addresses(nginx, "svc") == ["192.0.2.1"]
    asked = [name for name, kind in bench.dns.queries if name.startswith("svc")]
    assert list(dict.fromkeys(asked)) == ["svc.wrong.search", "svc.first.test"]


def test_enough_dots_ask_for_the_name_itself_first(nginx):
    assert addresses(nginx, "a.b.c") == ["192.0.2.3"]


def test_fewer_dots_ask_for_it_last(nginx, bench):
    assert addresses(nginx, "good.test") == ["127.0.0.1"]
    assert ("good.test.second.test", 1) in bench.dns.queries


def test_a_terminating_dot_means_this_name_only(nginx, bench):
    assert nginx.get("/nodns?dns=svc.").reason == "provider_unreachable"
    assert ("svc", 1) in bench.dns.queries


def test_the_resolver_directive_has_no_search_list(nginx):
    assert nginx.get("/fetch?dns=svc").reason == "provider_unreachable"


def test_many_wait_for_one_name(nginx, bench):
    """A slow name: every waiter has its own timeout, and nothing is left behind."""
    connections = []
    for _ in range(30):
        connection = nginx.connect()
        connection.request("GET", nginx.path("http://silent.test/", "/short"))
        connections.append(connection)
    assert {nginx_answer(each).reason for each in connections} == {"provider_timeout"}


# ---- proxies -------------------------------------------------------------------------------------


def test_http_by_a_proxy(nginx, bench):
    answer = nginx.fetch("http://upstream.test/echo", "/proxied", post="secret=1")
    assert answer.status == 200, answer
    head = bench.proxy.heads[-1]
    assert head.startswith("POST http://upstream.test/echo HTTP/1.1")
    expected = base64.b64encode(b"user:p@ss").decode()
    assert f"Proxy-Authorization: Basic {expected}" in head
    assert not [name for name, _ in bench.dns.queries if name == "upstream.test"]


def test_https_by_a_proxy(nginx, bench):
    answer = nginx.fetch("https://good.test/echo", "/proxied", post="secret=1")
    assert answer.status == 200, answer
    head = bench.tls_proxy.heads[-1]
    assert head.startswith("CONNECT good.test:443 HTTP/1.1")
    assert "Proxy-Authorization" not in head
    assert "\r\nAuthorization" not in head


@pytest.mark.parametrize(
    "host", ["direct.test", "DIRECT.test", "sub.direct.test", "under.below.test", "127.0.0.1"]
)
def test_no_proxy(nginx, bench, host):
    before = len(bench.proxy.heads)
    assert nginx.fetch(url(bench.plain, "ok", host=host), "/proxied").status == 200
    assert len(bench.proxy.heads) == before


def test_no_proxy_for_an_ipv6_literal(nginx, bench):
    before = len(bench.proxy.heads)
    assert nginx.fetch(url(bench.plain6, "ok", host="[::1]"), "/proxied").status == 200
    assert len(bench.proxy.heads) == before


@pytest.mark.parametrize("host", ["indirect.test", "direct.test.org", "127.0.0.2"])
def test_names_that_only_look_alike_go_by_the_proxy(nginx, bench, host):
    assert nginx.fetch(f"http://{host}/ok", "/proxied").status == 200
    head = bench.plain.requests[-1][0]
    assert head[0] == f"GET http://{host}/ok HTTP/1.1"
    assert head[1] == f"Host: {host}"


def test_a_proxy_that_refuses_to_connect(nginx):
    answer = nginx.fetch("https://secret.test/", "/refused")
    assert answer.reason == "provider_unreachable"
    assert "secret.test:443" in answer.body and "404" in answer.body


# ---- the worker's own tasks ----------------------------------------------------------------------


def test_worker_tasks(nginx, bench):
    before = nginx.log().count("spawned fetch: 200")
    for _ in range(5):
        assert nginx.fetch(url(bench.plain, "slow/100"), spawn=1).code == 204
    end = time.monotonic() + 5
    while nginx.log().count("spawned fetch: 200") < before + 5:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_concurrent_mixture(nginx, bench):
    paths = ["ok", "slow/200", "cut", "chunked/3/10", "close", "bytes/300000", "reset"]
    failures = []

    def run(number):
        for round_number in range(15):
            path = paths[(number + round_number) % len(paths)]
            scheme, server = (("http", bench.plain), ("https", bench.secure))[number % 2]
            answer = nginx.fetch(url(server, path, host="good.test", scheme=scheme))
            bad = path in ("cut", "close", "reset")
            if (answer.code == 502) != bad:
                failures.append((path, answer))

    threads = [threading.Thread(target=run, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]
