"""oidc_session_secret changed in three steps, on two gateways one after the other, under load."""

import itertools
import threading

from bench.client import XHR, Client
from bench.gateway import protect
from bench.login import login
from bench.nginx import location, server
from bench.proc import free_port, wait_for

OLD = "the-old-secret-of-more-than-32-random-bytes-0123456789"
NEW = "the-new-secret-of-more-than-32-random-bytes-9876543210"
SESSIONS = 5  # made in each step
PER_STEP = 200  # requests, at least


class Traffic:
    """Requests with all sessions at both gateways, all the time."""

    def __init__(self, urls):
        self.urls = urls
        self.clients: list[tuple[str, Client]] = []
        self.answers: list[tuple[str, int]] = []  # the session's name, the status
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(3)]

    def __enter__(self):
        [t.start() for t in self._threads]
        return self

    def __exit__(self, *_):
        self._stop.set()
        [t.join() for t in self._threads]

    def _run(self, number):
        for turn in itertools.count(number):
            if self._stop.is_set():
                return
            known = list(self.clients)
            if not known:
                continue
            name, client = known[turn % len(known)]
            own = Client()
            own.jar = dict(client.jar)
            try:
                status = own.get(self.urls[turn // len(known) % len(self.urls)], XHR).status
            except OSError as error:
                status = repr(error)
            self.answers.append((name, status))

    def more(self, count=PER_STEP):
        """Waits for so many further answers and returns them."""
        start = len(self.answers)
        wait_for("traffic", lambda: len(self.answers) >= start + count, 60)
        return self.answers[start:]


def test_no_session_is_lost(make_nginx, make_redis, upstream, op):
    redis, provider = make_redis(), op.provider("rotation")
    ports = [free_port(), free_port()]

    def http(port, secrets):
        return server(port, location("/", protect(
            provider, session_storage="redis", redis_port=redis.port,
            session_secret=" ".join(secrets)) + f"proxy_pass {upstream.origin};"))
    gateways = [make_nginx(http(port, [OLD]), port, workers=2) for port in ports]
    urls = [f"http://127.0.0.1:{port}/x" for port in ports]

    def make_sessions(traffic, step):
        for number in range(SESSIONS):
            client = Client()
            assert login(client, urls[number % len(urls)]).status in (302, 303)
            traffic.clients.append((step, client))

    with Traffic(urls) as traffic:
        make_sessions(traffic, "before")
        traffic.more()
        for step, secrets in (("accepted", [OLD, NEW]), ("sealing", [NEW, OLD])):
            for gateway, port in zip(gateways, ports):
                gateway.reload(http(port, secrets), workers=2)
                traffic.more()
                make_sessions(traffic, f"{step}, one gateway" if gateway is gateways[0] else step)
            traffic.more()
        assert {status for _, status in traffic.answers} == {200}
        lossless = len(traffic.answers)
        for gateway, port in zip(gateways, ports):
            gateway.reload(http(port, [NEW]), workers=2)
        # Old workers end with the requests that they had.
        wait_for("the old workers' end", lambda: all(len(g.workers()) == 2 for g in gateways), 30)
        traffic.more(20)
        after = traffic.more(400)
    by_name = {}
    for name, status in after:
        by_name.setdefault(name, set()).add(status)
    # Those of the gateway that already sealed with the new one while the other did not: both kinds.
    mixed = by_name.pop("sealing, one gateway")
    assert mixed == {200, 401}
    assert by_name == {"before": {401}, "accepted, one gateway": {401}, "accepted": {401},
                       "sealing": {200}}
    print(f"\n{lossless} requests with {len(traffic.clients)} sessions over four reloads, all 200; "
          "without the old secret only what it had sealed ends")
