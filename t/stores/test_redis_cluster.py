"""A Redis cluster: six nodes, slots that move, a master that dies."""

import time

import pytest
from conftest import answer_of, free_port, wait_for
from load import judge, loaded, recovered
from scripted_redis import ScriptedRedis
from sets import Cluster, have_followed
from test_redis import frozen_burst, stored


@pytest.fixture(scope="module")
def cluster(request, tmp_path_factory):
    """One for all tests that leave it as it was."""
    from conftest import Bench

    directory = tmp_path_factory.mktemp("cluster")
    directory.chmod(0o755)
    servers = Bench(directory, request.config.option)
    yield Cluster(servers)
    servers.end()


def start(bench, cluster, nodes=None, **words):
    return bench.nginx(f"location /r {{ store_probe redis {cluster.arguments(nodes, **words)}; }}")


def test_keys_of_all_slots(bench, cluster):
    nginx = start(bench, cluster)
    keys = [f"k{i}" for i in range(60)]
    for key in keys:
        assert nginx.get("/r", "insert", key, value="gen-0001 " + key).result == "hit"
    for key in keys:
        assert nginx.get("/r", "read", key).text == "gen-0001 " + key
        assert nginx.get("/r", "touch", key).result == "hit"
    for key in keys[:30]:
        changed = {"generation": "gen-0001", "value": "gen-0002"}
        assert nginx.get("/r", "replace", key, **changed).result == "hit"
        assert nginx.get("/r", "replace", key, **changed | {"value": "gen-0003"}).result == "miss"
        assert nginx.get("/r", "erase", key).result == "hit"
        assert nginx.get("/r", "read", key).result == "miss"
    for i in range(30):
        name = f"lock:{i}"
        assert nginx.get("/r", "ledger_add", name, value="me").result == "hit"
        assert nginx.get("/r", "ledger_add", name, value="you").result == "miss"
        assert nginx.get("/r", "ledger_erase", name, value="you").result == "miss"
        assert nginx.get("/r", "ledger_erase", name, value="me").result == "hit"
        assert nginx.get("/r", "ledger_join", f"index:{i}", value="one").result == "hit"
        assert nginx.get("/r", "ledger_members", f"index:{i}").text.split() == ["one"]
        assert nginx.get("/r", "ledger_leave", f"index:{i}", value="one").result == "hit"
    # Each node got its share, and no command went to the wrong one.
    assert all(each.call("DBSIZE") > 3 for each in cluster.servers[:3])
    for each in cluster.servers:
        assert "errorstat_MOVED" not in each.info("errorstats")
    assert "failures=0" in nginx.get("/r", "stats").text
    assert "[error]" not in nginx.log()


def test_seeds_that_are_partly_dead(bench, cluster):
    dead = [f"127.0.0.1:{free_port()}" for _ in range(3)]
    alive = f"localhost:{cluster.servers[4].port}"  # a replica knows the cluster too
    for _ in range(3):  # they are asked in any order
        nginx = start(bench, cluster, [*dead, alive], connect=1000)
        began = time.monotonic()
        assert nginx.get("/r", "insert", "k", value="v").result == "hit"
        assert time.monotonic() - began < 1
        nginx.stop()
    none = start(bench, cluster, dead, connect=300)
    answer = none.get("/r", "read", "k")
    assert answer.result == "error" and "no node of the Redis cluster answers" in answer.text
    assert answer.text.count("Connection refused") == 3
    wait_for("known to be down", lambda: took(lambda: none.get("/r", "read", "k")) < 0.1)


def took(call):
    began = time.monotonic()
    call()
    return time.monotonic() - began


def test_a_burst_goes_out_together(bench, cluster):
    nginx = start(bench, cluster, connections=1)
    for i in range(60):
        nginx.get("/r", "insert", f"k{i}", value=f"value {i}")
    for i, answer in enumerate(frozen_burst(nginx, 60)):
        assert answer.text == f"value {i}"
    assert "connections=3" in nginx.get("/r", "stats").text


def test_nodes_that_serve_nothing_are_left(bench, cluster):
    """The replica that was a seed: its connection closes, those of the masters stay."""
    replica = cluster.servers[5]
    nginx = start(bench, cluster, [f"127.0.0.1:{replica.port}"])
    ours = lambda each: each.call("CLIENT", "LIST").count(b"name=ngx_openid_connect")  # noqa: E731
    for i in range(20):
        assert nginx.get("/r", "insert", f"k{i}", value="v").result == "hit"
    wait_for("the seed is left", lambda: ours(replica) == 0)
    assert [ours(each) for each in cluster.servers[:3]] == [1, 1, 1]


def test_resharding_under_load(bench, cluster):
    nginx = start(bench, cluster)
    loads = loaded(nginx, threads=3, sessions=8)
    moved = [redis for redis in cluster.servers[:3]]
    keys = [at for each in loads for key in each.written
            for at in [f"session:{key}" if key.startswith("ledger:") else stored(key)]]
    slots = sorted({cluster.slot_of(key) for key in keys})[:20]
    redirected = lambda name: sum(  # noqa: E731
        int(each.info("errorstats").get(f"errorstat_{name}", "count=0").split("=")[1])
        for each in moved)
    began = time.monotonic()
    for slot in slots:
        source = cluster.owner(slot)
        target = moved[(moved.index(source) + 1) % 3]
        cluster.move_slot(slot, source, target)
    said, errors = judge(loads, began)
    print(f"{len(slots)} slots moved under load: {redirected('MOVED')} MOVED, "
          f"{redirected('ASK')} ASK; {said}")
    assert errors == 0, [each.errors[:2] for each in loads]
    assert redirected("MOVED") > 0 and redirected("ASK") > 0, "nothing was redirected: no test"


def test_a_master_dies_under_load(bench):
    cluster = Cluster(bench)
    nginx = start(bench, cluster, connect=1000, read=1000)
    loads = loaded(nginx)
    dead = cluster.servers[0]
    slot = 0
    have_followed(dead, [cluster.servers[3]])
    began = time.monotonic()
    dead.kill()
    alive = cluster.servers[-1]
    wait_for("another master", lambda: cluster.owner(slot) is not dead
             and b"cluster_state:ok" in alive.call("CLUSTER", "INFO"), 30)
    chosen = time.monotonic() - began
    recovered(loads)
    said, errors = judge(loads, began, may_lose=len(loads))
    print(f"cluster failover: new master after {chosen:.2f} s; {said}")
    assert errors > 0, "nothing was noticed: no test"
    # It comes back as a replica, and nobody is confused by that.
    dead.start()
    wait_for("a replica", lambda: dead.info("replication")["role"] == "slave", 60)
    for i in range(30):
        answer = nginx.get("/r", "insert", f"later{i}", value="v")
        assert answer.result == "hit", answer
        assert nginx.get("/r", "read", f"later{i}").text == "v"


def test_a_hanging_master_delays_its_own_keys_only(bench, cluster):
    nginx = start(bench, cluster, connect=500, read=500)
    keys = [f"k{i}" for i in range(30)]
    for key in keys:
        assert nginx.get("/r", "insert", key, value="v").result == "hit"
    hung = cluster.servers[1]
    others = [key for key in keys if cluster.owner(cluster.slot_of(stored(key))) is not hung]
    its = next(key for key in keys if key not in others)
    hung.hang()
    try:
        waiting = nginx.send("/r", "read", its)
        worst = max(took(lambda key=key: nginx.get("/r", "read", key)) for key in others)
    finally:
        hung.wake()
    assert answer_of(waiting).result in ("error", "hit")
    print(f"while one of three masters hangs: worst {worst * 1000:.1f} ms at the others")
    assert worst < 0.4
    wait_for("recovery", lambda: nginx.get("/r", "read", its).text == "v", 20)


# ---- nodes that talk nonsense --------------------------------------------------------------------


class Fake:
    """A cluster of one scripted node; `answer(words)` is for what is not about the topology."""

    def __init__(self, answer, host=b"127.0.0.1"):
        self.asked = []
        self.answer, self.host = answer, host
        self.server = ScriptedRedis(self.reply)

    def reply(self, words):
        if words[0] == b"CLUSTER":
            return [[0, 16383, [self.host, self.server.port, b"id"]]]
        self.asked.append(words)
        return self.answer(self, words)

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        self.server.__exit__(*reason)


def fake_nginx(bench, fake, **words):
    words = {"connect": 500, "read": 500, **words}
    more = " ".join(f"{name}={value}" for name, value in words.items())
    return bench.nginx(
        f"location /r {{ store_probe redis cluster=127.0.0.1:{fake.server.port} {more}; }}")


@pytest.mark.parametrize("kind", ["MOVED", "ASK"])
@pytest.mark.parametrize("limit", [0, 3])
def test_redirections_have_an_end(bench, kind, limit):
    with Fake(lambda fake, words: "+OK" if words == [b"ASKING"]
              else f"-{kind} 1 127.0.0.1:{fake.server.port}") as fake:
        nginx = fake_nginx(bench, fake, redirections=limit)
        answer = nginx.get("/r", "read", "k")
        assert answer.result == "error" and "redirects more often" in answer.text
        assert len([words for words in fake.asked if words[0] == b"GET"]) == limit + 1
        assert fake.asked.count([b"ASKING"]) == (limit if kind == "ASK" else 0)
        nginx.stop()


@pytest.mark.parametrize("host", [None, b""])
def test_a_node_without_a_host_is_the_one_that_answered(bench, host):
    with Fake(lambda fake, words: b"v", host) as fake:
        nginx = fake_nginx(bench, fake)
        assert nginx.get("/r", "read", "k").text == "v"
        nginx.stop()


@pytest.mark.parametrize("error", ["TRYAGAIN", "CLUSTERDOWN", "LOADING", "READONLY", "NOREPLICAS"])
def test_what_passes_is_tried_again(bench, error):
    with Fake(lambda fake, words: f"-{error} for now" if len(fake.asked) < 4 else b"v") as fake:
        nginx = fake_nginx(bench, fake)
        assert nginx.get("/r", "read", "k").text == "v"
        assert len(fake.asked) == 4
        nginx.stop()


@pytest.mark.parametrize("error", ["TRYAGAIN", "CLUSTERDOWN", "LOADING", "READONLY", "NOREPLICAS"])
def test_but_not_for_ever(bench, error):
    with Fake(lambda fake, words: f"-{error} canary") as fake:
        nginx = fake_nginx(bench, fake)
        began = time.monotonic()
        answer = nginx.get("/r", "read", "k")
        assert answer.result == "error" and error in answer.text and "canary" not in answer.text
        assert 0.3 < time.monotonic() - began < 1.5
        assert 3 < len(fake.asked) < 30
        nginx.stop()


@pytest.mark.parametrize("error", ["OOM", "MISCONF", "NOPERM", "NOAUTH", "MOVED", "MOVED 1 a b",
                                   "ASK 99999 a:1", "WRONGTYPE"])
def test_what_does_not_pass_is_an_error_at_once(bench, error):
    with Fake(lambda fake, words: f"-{error} canary") as fake:
        nginx = fake_nginx(bench, fake)
        answer = nginx.get("/r", "read", "k")
        assert answer.result == "error" and error.split()[0] in answer.text
        assert len(fake.asked) == 1
        wrote = nginx.get("/r", "insert", "k", value="v").result
        assert wrote == ("full" if error == "OOM" else "error")
        nginx.stop()


@pytest.mark.parametrize("slots", [
    "+OK", "-NOPERM this user has no permissions to run the 'cluster|slots' command", [], None, 7,
    [7], [[0, 16383]], [[0, 16384, [b"a", 1]]], [[0, 5, [b"?", 1]]], [[5, 0, [b"a", 1]]],
    [[0, 16383, [b"a\nb", 1]]],
])
def test_what_a_topology_may_be(bench, slots):
    with ScriptedRedis(lambda words: slots if words[0] == b"CLUSTER" else b"v") as odd:
        nginx = bench.nginx(f"location /r {{ store_probe redis cluster=127.0.0.1:{odd.port} "
                            "connect=200; }")
        answer = nginx.get("/r", "read", "k")
        assert answer.result == "error" and "no node of the Redis cluster" in answer.text, answer
        nginx.stop()


def test_a_kept_connection_that_died(bench):
    """The command is sent again on a fresh connection, and nobody notices."""
    cluster = Cluster(bench, masters=1, replicas=0)
    nginx = start(bench, cluster, [f"127.0.0.1:{cluster.servers[0].port}"])
    for _ in range(3):
        assert nginx.get("/r", "insert", "k", value="v").result == "hit"
        assert cluster.servers[0].call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes") >= 1
        assert nginx.get("/r", "read", "k").result == "hit"
    assert "[error]" not in nginx.log()


def test_a_reload_and_a_quit_under_load(bench, cluster):
    nginx = start(bench, cluster)
    loads = loaded(nginx, threads=2, sessions=10)
    nginx.reload()
    nginx.reload()
    said, errors = judge(loads)
    assert errors == 0, [each.errors[:2] for each in loads]


def test_addresses_of_ipv6(bench):
    """The nodes know each other by them, without brackets: in CLUSTER SLOTS, and in MOVED."""
    cluster = Cluster(bench, replicas=0, host="::1")
    seed = cluster.servers[0]
    nginx = start(bench, cluster, [f"[::1]:{seed.port}"])
    keys = [f"k{i}" for i in range(30)]
    for key in keys:
        assert nginx.get("/r", "insert", key, value="v " + key).result == "hit"
    source, target = cluster.servers[1:]
    key = next(key for key in keys if cluster.owner(cluster.slot_of(stored(key))) is source)
    cluster.move_slot(cluster.slot_of(stored(key)), source, target)
    for key in keys:
        assert nginx.get("/r", "read", key).text == "v " + key
    assert int(source.info("errorstats")["errorstat_MOVED"].removeprefix("count=")) > 0
    for each in cluster.servers:
        lines = each.call("CLIENT", "LIST").decode().splitlines()
        ours = [line for line in lines if "name=ngx_openid_connect" in line]
        assert ours and all("addr=[::1]:" in line for line in ours)
