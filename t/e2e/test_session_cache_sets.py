"""Cached sessions with Sentinels and in a cluster: a logout on one gateway counts on the other one,
whatever happens to the servers meanwhile.

What a failover lets through is measured and bounded: what counts is the logout's good answer."""

import threading
import time

import pytest
from bench.proc import wait_for
from bench.redis_sets import RedisSet, gets
from bench.tcp_proxy import TcpProxy
from test_session_cache import BOUND, NOISE, SAME, Requests, copy_of, logged_in, logout, warm


@pytest.fixture(scope="module")
def provider(op):
    return op.provider("main")


@pytest.fixture(scope="module")
def sentinel():
    made = RedisSet("sentinel")
    yield made
    made.end()


@pytest.fixture(scope="module")
def cluster():
    made = RedisSet("cluster")
    yield made
    made.end()


@pytest.fixture(params=["sentinel", "cluster"])
def redis(request):
    return request.getfixturevalue(request.param)


def two_gateways(redis, make_nginx, upstream, provider, **settings):
    return [redis.site(make_nginx, upstream, provider, **settings) for _ in range(2)]


def logged_in_at(site, redis, master):
    """A session whose record that master has, and its name."""
    for _ in range(60):
        before = redis.records()
        client = logged_in(site)
        (name, server), = ((n, s) for n, s in redis.records().items() if n not in before)
        if server is master:
            return client, name
    raise AssertionError("60 sessions, and none of them there")


def test_logout_reaches_the_other_gateway(redis, make_nginx, upstream, provider, capsys):
    """The moment counts from the logout's answer."""
    one, two = two_gateways(redis, make_nginx, upstream, provider)
    delays, late = [], 0
    for _ in range(200):
        client = logged_in(one)
        warm(two, client, redis)
        requests = Requests(two, client)
        assert requests.status() == 200
        logout(one, client)
        answered = time.monotonic()
        passed, refused = requests.until_refused(BOUND + NOISE)
        delays.append(refused - answered)
        late += passed
        assert requests.status() == 401
        requests.close()
    delays.sort()
    with capsys.disabled():
        print(f"\n    {redis.kind}: {len(delays)} logouts: the other gateway refused after p50 "
              f"{delays[len(delays) // 2]*1e3:.2f} ms, p99 {delays[int(len(delays) * .99)]*1e3:.2f} "
              f"ms, max {delays[-1]*1e3:.2f} ms; {late} requests got through after the answer")


def test_expiry_and_flushdb(redis, make_nginx, upstream, provider):
    two = redis.site(make_nginx, upstream, provider)
    before = redis.records()
    client = logged_in(two)
    (name, server), = ((n, s) for n, s in redis.records().items() if n not in before)
    warm(two, client, redis)
    server.call("PEXPIRE", name, 700)
    assert two.echo(client).bearer  # reads its new end
    requests, began = Requests(two, client), time.monotonic()
    _, refused = requests.until_refused(BOUND + NOISE)
    assert refused - began <= 0.7 + NOISE
    client, name = logged_in_at(two, redis, server)
    warm(two, client, redis)
    requests = Requests(two, client)
    assert requests.status() == 200
    server.call("FLUSHDB")
    requests.until_refused(BOUND + NOISE)


def test_deaf_channel_of_one_master_is_bounded(cluster, make_nginx, upstream, provider, capsys):
    """Its connection stays open and brings nothing any more; the others are not concerned."""
    masters = cluster.masters()
    proxies = {master: TcpProxy(master.port) for master in masters}
    for master in masters:
        master.call("CONFIG", "SET", "cluster-announce-port", proxies[master].port)
    announced = {proxy.port for proxy in proxies.values()}
    wait_for("proxies are announced", lambda: all(
        {entry[2][1] for entry in each.call("CLUSTER", "SLOTS")} == announced
        for each in cluster.servers), 20)
    one, two = two_gateways(cluster, make_nginx, upstream, provider)
    deaf, well = masters[:2]
    stale = []
    for _ in range(2):
        gone, _ = logged_in_at(one, cluster, deaf)
        stays, _ = logged_in_at(one, cluster, well)
        for client in (gone, stays):
            warm(two, client, cluster)
        requests, others = Requests(two, gone), Requests(two, stays)
        assert requests.status() == 200
        assert proxies[deaf].freeze(b"SUBSCRIBE") >= 1
        began, before = time.monotonic(), gets(well)
        logout(one, gone)
        count = 0
        while (status := requests.status()) == 200:
            assert time.monotonic() - began < BOUND + NOISE
            assert others.status() == 200
            count += 1
        stale.append(time.monotonic() - began)
        assert status == 401 and requests.status() == 401
        # From the cache all the while: two gateways ask for a key of the channel's each second.
        assert count > 100 and gets(well) - before < 30
    fresh, _ = logged_in_at(one, cluster, deaf)
    warm(two, fresh, cluster)  # a new channel came in its place
    for master in masters:
        master.call("CONFIG", "SET", "cluster-announce-port", 0)
    ports = {master.port for master in masters}
    wait_for("they speak for themselves", lambda: all(
        {entry[2][1] for entry in each.call("CLUSTER", "SLOTS")} == ports
        for each in cluster.servers), 20)
    for proxy in proxies.values():
        proxy.stop()
    with capsys.disabled():
        print(f"\n    deaf channel of one master: refused after "
              f"{', '.join(f'{s:.2f}' for s in stale)} s; {count} requests of another master's "
              "session from the cache meanwhile")


class Ended(threading.Thread):
    """Asks a gateway for all sessions again and again. `ended` says when a logout was answered;
    what began after that and got through is `late`."""

    def __init__(self, site, clients):
        super().__init__()
        self.clients = clients
        self.requests = [Requests(site, client) for client in clients]
        self.ended: dict[int, float] = {}
        self.late: dict[int, list[float]] = {}
        self.statuses: dict[int, int] = {}
        self.count, self.crashed, self.over = 0, None, threading.Event()
        self.start()

    def run(self):
        try:
            while not self.over.is_set():
                for i, requests in enumerate(self.requests):
                    began, ended = time.monotonic(), self.ended.get(i)
                    status = self.statuses[i] = requests.status()
                    self.count += 1
                    if status == 200 and ended is not None:
                        self.late.setdefault(i, []).append(began - ended)
        except Exception as reason:  # end() says so
            self.crashed = reason

    def end(self):
        self.over.set()
        self.join(30)
        assert self.crashed is None and not self.is_alive(), self.crashed


def logouts_meanwhile(redis, one, two, disturb, sessions=40):
    """Logs out one session after the other on gateway 1 while `disturb` does its work, and says
    what gateway 2 let through, and for how long. A session that stays is one that Redis has again: what
    the replica did not get in the last moment is nobody's promise."""
    clients = [logged_in(one) for _ in range(sessions)]
    copies = [copy_of(client) for client in clients]
    for client in clients:
        warm(two, client, redis)
    watcher = Ended(two, clients)
    trouble = threading.Thread(target=disturb)
    left, refused = list(range(sessions)), 0
    began = time.monotonic()
    trouble.start()
    while left:
        i = left.pop(0)
        response = clients[i].request("POST", one.url("/logout"), SAME, b"")
        if response.status == 503:
            refused += 1
            left.append(i)
        else:
            assert response.status in (302, 303), response
            watcher.ended[i] = time.monotonic()
        assert time.monotonic() - began < 40, "logouts are refused for ever"
        # Some are left for what comes after the trouble.
        time.sleep(0.05 if len(left) > sessions // 4 or not trouble.is_alive() else 0.25)
    trouble.join()
    watched = time.monotonic()
    wait_for("all asked for again", lambda: time.monotonic() - watched > BOUND
             and 503 not in watcher.statuses.values(), 30, 0.05)
    watcher.end()
    stayed = [i for i, status in watcher.statuses.items() if status == 200]
    late = [delay for i, delays in watcher.late.items() if i not in stayed for delay in delays]
    said = (f"{sessions} logouts, {refused} tries refused (503); of {watcher.count} requests "
            f"{len(late)} got through after the answer, the last one after "
            f"{max(late, default=0):.2f} s; {len(stayed)} logouts forgotten by Redis")
    assert all(one.asks_for_login(each) == (i not in stayed) for i, each in enumerate(copies))
    return said, max(late, default=0.0)


def test_slots_move_under_load(cluster, make_nginx, upstream, provider, capsys):
    one, two = two_gateways(cluster, make_nginx, upstream, provider)
    masters = cluster.masters()
    moved = []

    def disturb():
        for name in list(cluster.records())[:12]:
            slot = cluster.set.slot_of(name)
            source = cluster.set.owner(slot)
            target = masters[(masters.index(source) + 1) % 3]
            cluster.set.move_slot(slot, source, target)
            moved.append(slot)
    said, late = logouts_meanwhile(cluster, one, two, disturb)
    with capsys.disabled():
        print(f"\n    {len(moved)} slots moved: {said}")
    assert len(moved) == 12 and "0 logouts forgotten" in said and late < BOUND + NOISE


def test_sentinel_failover(sentinel, make_nginx, upstream, provider, capsys):
    """The master hangs, another one takes its place, and then it comes back and does not know."""
    one, two = two_gateways(sentinel, make_nginx, upstream, provider)
    old = sentinel.set.current()

    def disturb():
        time.sleep(0.5)
        old.hang()
        wait_for("another master", lambda: sentinel.set.current() is not old, 30)
        time.sleep(0.5)
        old.wake()
    said, late = logouts_meanwhile(sentinel, one, two, disturb)
    with capsys.disabled():
        print(f"\n    Sentinel, the master hangs: {said}")
    assert late < BOUND + NOISE


def test_cluster_master_killed(cluster, make_nginx, upstream, provider, capsys):
    one, two = two_gateways(cluster, make_nginx, upstream, provider)
    killed = cluster.masters()[0]
    slot = next(first for first, _, master, *_ in killed.call("CLUSTER", "SLOTS")
                if master[1] == killed.port)

    def disturb():
        time.sleep(0.5)
        killed.kill()
        alive = next(each for each in cluster.servers if each is not killed)
        wait_for("another master", lambda: any(
            first <= slot <= last and master[1] != killed.port
            for first, last, master, *_ in alive.call("CLUSTER", "SLOTS"))
            and b"cluster_state:ok" in alive.call("CLUSTER", "INFO"), 30)
    said, late = logouts_meanwhile(cluster, one, two, disturb)
    with capsys.disabled():
        print(f"\n    cluster, a master is killed: {said}")
    assert late < BOUND + NOISE
