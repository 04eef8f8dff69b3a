"""Two gateways on one Redis, four workers each: a refresh token is sent once, whoever asks.

The providers rotate refresh tokens and take a used one for theft: one refresh too many, and the
user is logged out.
"""

import base64
import hashlib
import os
import signal
import threading
import time

import pytest
from bench.burst import Burst
from bench.client import XHR, Client
from bench.gateway import SESSION_SECRET, protect
from bench.http_server import Answer
from bench.login import at_provider, begin, deliver
from bench.nginx import directives, location, server
from bench.oidc_provider import CLIENT_ID, CLIENT_SECRET
from bench.proc import free_port, wait_for

REQUESTS = 200
WORKERS = 4
SETTLED = 30  # seconds; how long anything here may take on a machine that does other things too


class Gateways:
    """Equal but for the port; the application is nginx too, and answers with the bearer token."""

    def __init__(self, make_redis, workers=(WORKERS, WORKERS)):
        self.redis = make_redis()
        self.workers = workers
        self.ports = [free_port() for _ in workers]
        self.nginx = []

    def start(self, make_nginx, protection, **settings):
        protection += directives(session_storage="redis", session_secret=SESSION_SECRET,
                                 redis_port=self.redis.port, **settings)
        for port, count in zip(self.ports, self.workers):
            application = free_port()
            http = server(port, location(
                "/", f"{protection} proxy_pass http://127.0.0.1:{application};"
                "add_header X-Worker $pid always;"), listen="reuseport")
            http += server(application, 'return 200 "$http_authorization";')
            self.nginx.append(make_nginx(http, port, workers=count))
        return self

    def url(self, path="/", number=0):
        return f"http://127.0.0.1:{self.ports[number]}{path}"

    def login(self, client, context=None):
        authorize = begin(client, self.url())
        response = deliver(client, at_provider(authorize, self.url(""), context))
        assert response.status in (302, 303), response

    def cookie(self, client):
        return client.cookie_header(self.url())

    def locks(self):
        return [key for key in self.redis.keys() if "lock:" in key]


def judge_round(answers):
    """Everybody was served, all with the same token; returns it and the workers that took part."""
    assert {status for status, _, _ in answers} == {200}
    tokens = {body for _, body, _ in answers}
    assert len(tokens) == 1
    token = tokens.pop()
    assert token.startswith("Bearer ")
    return token, {worker for _, _, worker in answers}


def test_fifty_rounds_at_a_rotating_provider(make_nginx, make_redis, make_oidc_provider, ca):
    """Each round is a session of its own, whose token of one second has ended."""
    rounds, context = 50, ca.client_context()
    gateways = Gateways(make_redis)
    provider = make_oidc_provider(gateways.url(""), access_token_life=1,
                                  refreshed_token_life=3000)
    gateways.start(make_nginx, "oidc on;\n" + directives(
        issuer=provider.issuer, client_id=f'"{CLIENT_ID}"', client_secret=f'"{CLIENT_SECRET}"',
        ssl_trusted_certificate=ca.path, scopes="openid offline_access"))
    clients = [Client(context) for _ in range(rounds)]
    for client in clients:
        gateways.login(client, context)
    time.sleep(2.1)
    took, workers, seen = [], set(), set()
    with Burst(gateways.ports, REQUESTS) as burst:
        for number, client in enumerate(clients):
            start = time.monotonic()
            token, served_by = judge_round(burst.send("/", gateways.cookie(client)))
            took.append(time.monotonic() - start)
            workers |= served_by
            assert token not in seen
            seen.add(token)
            assert provider.log().count("granted refresh_token") == number + 1, provider.log()
    assert "grant.error" not in provider.log()
    assert "revoked" not in provider.log()
    assert len(workers) == 2 * WORKERS, "every worker of both took part"
    wait_for("the locks to be given back", lambda: not gateways.locks())
    took.sort()
    print(f"\n{rounds} rounds of {REQUESTS} requests at {len(workers)} workers of two gateways: "
          f"{len(seen)} refreshes, nobody logged out; "
          f"median {took[rounds // 2] * 1e3:.0f} ms, longest {took[-1] * 1e3:.0f} ms a round")


def refresh_requests(provider):
    return [r for r in provider.requests if dict(r.form).get("grant_type") == "refresh_token"]


def protect_by(provider):
    # The lease: 3 x 1 s, 2 x (0.2 + 2 x 0.4) s, 10 s.
    return protect(provider, timeout="1s", redis_connect_timeout="200ms",
                   redis_send_timeout="200ms", redis_read_timeout="200ms")


LEASE = 3 * 1 + 2 * (0.2 + 2 * 0.4) + 10


def test_a_worker_that_is_killed_while_it_refreshes(make_nginx, make_redis, op):
    """Its lock ends with the lease, and the session lives."""
    provider = op.provider("killed")
    provider.token_life = 2
    gateways = Gateways(make_redis, workers=(1, 1)).start(make_nginx, protect_by(provider))
    gateways.nginx[0].expected_alerts = ["exited on signal 9"]
    client = Client()
    gateways.login(client)
    time.sleep(2.1)
    provider.override["token"] = Answer(hang=True)
    provider.token_life = 300

    def leave_soon():
        try:
            client.get(gateways.url("/x"), XHR)
        except OSError:
            pass  # the worker died
    victim = threading.Thread(target=leave_soon)
    victim.start()
    wait_for("the refresh", lambda: refresh_requests(provider))
    os.kill(gateways.nginx[0].workers()[0], signal.SIGKILL)
    start = time.monotonic()
    victim.join()
    assert gateways.locks()
    provider.override.clear()
    statuses = []

    def served():
        response = client.get(gateways.url("/x", 1), XHR, timeout=60)
        statuses.append(response.status)
        return response.status == 200
    wait_for("a request that gets through", served, LEASE + SETTLED)
    took = time.monotonic() - start
    assert set(statuses) <= {200, 503}
    assert client.get(gateways.url("/x")).status == 200, "at the gateway whose worker died"
    assert len(refresh_requests(provider)) == 2
    assert provider.violations == []
    wait_for("the lock to be given back", lambda: not gateways.locks())
    print(f"\na worker killed in its refresh: the next one was done after {took:.1f} s, "
          f"the lease is {LEASE:.0f} s")


def test_a_living_token_serves_while_a_dead_worker_holds_the_lock(make_nginx, make_redis, op):
    provider = op.provider("living")
    provider.token_life = 20  # due after 15 s
    gateways = Gateways(make_redis, workers=(1, 1)).start(make_nginx, protect_by(provider))
    client = Client()
    gateways.login(client)
    first = client.get(gateways.url(), XHR)
    assert first.status == 200
    nonce = dict(next(r for r in provider.requests if r.path.endswith("/authorize")).query)["nonce"]
    family = hashlib.sha256(b"store keyrefresh " + nonce.encode()).digest()
    time.sleep(15.2)
    provider.token_life = 300
    name = "session:lock:refresh:" + base64.urlsafe_b64encode(family).decode().rstrip("=")
    gateways.redis.command("SET", name, "of-the-dead", "PX", 6000)
    meanwhile = client.get(gateways.url(), XHR)
    assert (meanwhile.status, meanwhile.body) == (200, first.body)
    wait_for("the refresh", lambda: refresh_requests(provider))
    wait_for("the new token", lambda: client.get(gateways.url(), XHR).body != first.body)
    assert provider.violations == []


def test_without_redis_nobody_refreshes_and_nobody_is_logged_out(make_nginx, make_redis, op):
    provider = op.provider("outage")
    provider.token_life = 2
    gateways = Gateways(make_redis).start(make_nginx, protect_by(provider))
    client = Client()
    gateways.login(client)
    time.sleep(2.1)
    gateways.redis.pause()
    try:
        with Burst(gateways.ports, 40) as burst:
            answers = burst.send("/", gateways.cookie(client))
        assert {status for status, _, _ in answers} == {503}
        assert refresh_requests(provider) == []
    finally:
        gateways.redis.resume()
    provider.token_life = 300
    wait_for("service", lambda: client.get(gateways.url(), XHR).status == 200, SETTLED)
    with Burst(gateways.ports, 40) as burst:
        judge_round(burst.send("/", gateways.cookie(client)))
    assert provider.violations == []


@pytest.mark.parametrize("failure", ["500", "hangs"])
def test_a_failing_provider_is_not_asked_by_everybody(make_nginx, make_redis, op, failure):
    """The session lives on; one try for each machine, not for each worker."""
    provider = op.provider(f"failing-{failure}")
    provider.token_life = 2
    gateways = Gateways(make_redis).start(make_nginx, protect_by(provider))
    client = Client()
    gateways.login(client)
    time.sleep(2.1)
    provider.override["token"] = Answer(500) if failure == "500" else Answer(hang=True)
    with Burst(gateways.ports, 80) as burst:
        answers = burst.send("/", gateways.cookie(client))
    assert {status for status, _, _ in answers} == {503}
    assert len(refresh_requests(provider)) <= 2 * len(gateways.ports)
    provider.override.clear()
    provider.token_life = 300
    wait_for("service", lambda: client.get(gateways.url(), XHR).status == 200, SETTLED)
    assert provider.violations == []
