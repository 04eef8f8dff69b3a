"""What a worker read from a set of Redis servers, and how long that counts: Sentinel and Cluster.

`cached` asks the worker alone: whether it would use what it has without asking Redis."""

import time

import pytest
from conftest import wait_for
from scripted_redis import ScriptedRedis
from sets import Cluster
from test_redis import stored

BOUND = 2.0  # seconds that a channel may be silent
NOISE = 5.0  # what a busy machine may add


@pytest.fixture(scope="module")
def cluster(request, tmp_path_factory):
    from conftest import Bench

    directory = tmp_path_factory.mktemp("cluster")
    directory.chmod(0o755)
    servers = Bench(directory, request.config.option)
    yield Cluster(servers)
    servers.end()


@pytest.fixture
def caching(bench, cluster):
    return start(bench, cluster.arguments())


def start(bench, arguments):
    return bench.nginx(f"location /r {{ store_probe redis {arguments} cache=on; }}")


def is_cached(nginx, key):
    return nginx.get("/r", "cached", key).result == "hit"


def keep(nginx, key):
    """Written, and read until the worker may use it."""
    assert nginx.get("/r", "insert", key, value="gen-0001").result == "hit"
    read_until_cached(nginx, key)


def read_until_cached(nginx, key):
    def cached():
        assert nginx.get("/r", "read", key).text == "gen-0001"
        return is_cached(nginx, key)
    wait_for("a cached record", cached)


def dropped_after(nginx, key, limit):
    """Seconds until the worker would ask again, of itself."""
    began = time.monotonic()
    wait_for("nothing cached", lambda: not is_cached(nginx, key), limit)
    return time.monotonic() - began


def keys_of(cluster, server, count=1):
    """Keys whose slots the server has."""
    all_ = (f"k{i}" for i in range(10_000))
    found = (key for key in all_ if cluster.owner(cluster.slot_of(stored(key))) is server)
    return [next(found) for _ in range(count)]


def test_each_master_tells_of_changes(cluster, caching):
    masters = cluster.servers[:3]
    mine = {master: keys_of(cluster, master, 4) for master in masters}
    for keys in mine.values():
        for key in keys:
            keep(caching, key)
    for master, (deleted, expiring, *others) in mine.items():
        master.call("DEL", stored(deleted))
        wait_for("told", lambda key=deleted: not is_cached(caching, key), 1)
        master.call("PEXPIRE", stored(expiring), 300)
        assert caching.get("/r", "read", expiring).result in ("hit", "miss")
        wait_for("expired", lambda key=expiring: not is_cached(caching, key), 1 + NOISE)
        assert all(is_cached(caching, key) for key in others)
    emptied, other = masters[0], keys_of(cluster, masters[1], 3)[2]
    emptied.call("FLUSHDB")
    for key in mine[emptied]:
        wait_for("told", lambda key=key: not is_cached(caching, key), 1)
    read_until_cached(caching, other)
    # Each has one channel, and none of them was asked for keys of another.
    for master in masters:
        channels = master.call("CLIENT", "LIST", "TYPE", "pubsub")
        assert channels.count(b"name=ngx_openid_connect") == 1
        assert "errorstat_MOVED" not in master.info("errorstats")


def test_a_slot_that_moves_away_and_back(cluster, caching):
    """What was read before does not count again, and the new owner tells of changes."""
    source, target = cluster.servers[:2]
    key = keys_of(cluster, source)[0]
    slot = cluster.slot_of(stored(key))
    keep(caching, key)
    cluster.move_slot(slot, source, target)
    wait_for("told", lambda: not is_cached(caching, key), BOUND)
    read_until_cached(caching, key)
    target.call("DEL", stored(key))
    wait_for("told by the new owner", lambda: not is_cached(caching, key), 1)
    keep(caching, key)
    cluster.move_slot(slot, target, source)
    wait_for("told", lambda: not is_cached(caching, key), BOUND)
    read_until_cached(caching, key)


def test_between_two_nodes_all_is_read_and_nothing_kept(cluster, caching):
    """The slot is on its way: the key is where ASK says, and each command there wants ASKING."""
    source, target = cluster.servers[:2]
    key = keys_of(cluster, source)[0]
    slot = cluster.slot_of(stored(key))
    keep(caching, key)
    cluster.begin_move(slot, source, target)
    wait_for("told", lambda: not is_cached(caching, key), 1)
    for _ in range(20):
        assert caching.get("/r", "read", key).text == "gen-0001"
        assert not is_cached(caching, key)
    cluster.end_move(slot, source, target)
    read_until_cached(caching, key)
    cluster.move_slot(slot, target, source)


def test_a_master_that_is_deposed_by_hand(bench):
    """It lives on and answers PING; nobody asks it for the session."""
    cluster = Cluster(bench, masters=3, replicas=1)
    nginx = start(bench, cluster.arguments())
    old, other = cluster.servers[:2]
    key, far = keys_of(cluster, old)[0], keys_of(cluster, other)[0]
    keep(nginx, key)
    keep(nginx, far)
    replica = cluster.servers[3]
    assert replica.call("CLUSTER", "FAILOVER") == b"OK"
    wait_for("the replica is the master", lambda: replica.info("replication")["role"] == "master")
    took = dropped_after(nginx, key, BOUND + NOISE)
    assert is_cached(nginx, far)
    read_until_cached(nginx, key)
    replica.call("DEL", stored(key))
    wait_for("told by the new master", lambda: not is_cached(nginx, key), 1)
    print(f"deposed by hand: what was cached did not count after {took:.2f} s")
    # The rest dies: this master says that the cluster is down, and its sessions are worth no more.
    began = time.monotonic()
    for each in (*cluster.servers[2:3], *cluster.servers[4:], old, replica):
        each.kill()
    took = dropped_after(nginx, far, 1 + BOUND + NOISE)  # the node timeout, and the next look
    print(f"cut off: after {time.monotonic() - began:.2f} s")
    assert other.info("replication")["role"] == "master"


def test_sentinels_name_another_master(bench):
    """The old one lives on and answers everything; nobody asks it for the session."""
    one, two = bench.redis(), bench.redis()
    place = [one.port]
    with ScriptedRedis(lambda words: [b"127.0.0.1", b"%d" % place[0]]) as sentinel:
        nginx = start(bench, f"sentinels=127.0.0.1:{sentinel.port} master=m")
        keep(nginx, "k")
        one.call("DEL", stored("k"))
        wait_for("told", lambda: not is_cached(nginx, "k"), 1)
        keep(nginx, "k")
        place[0] = two.port
        took = dropped_after(nginx, "k", 1 + NOISE)
        assert one.call("EXISTS", stored("k")) == 1
        assert nginx.get("/r", "read", "k").result == "miss"
        keep(nginx, "k")
        two.call("DEL", stored("k"))
        wait_for("told by the new master", lambda: not is_cached(nginx, "k"), 1)
        # And back: what was read there before is not worth anything again.
        keep(nginx, "k")
        place[0] = one.port
        dropped_after(nginx, "k", 1 + NOISE)
        place[0] = two.port
        wait_for("the second again", lambda: nginx.log().count(f"is 127.0.0.1:{two.port}") == 2)
        assert not is_cached(nginx, "k")
        read_until_cached(nginx, "k")
        print(f"another master: what was cached did not count after {took:.2f} s")
        nginx.stop()


@pytest.mark.parametrize("kind", ["sentinel", "cluster"])
def test_without_tracking_there_is_no_cache(bench, cluster, kind):
    rights = ["~*", "&*", "+@all", "-client|tracking"]
    servers = cluster.servers if kind == "cluster" else [bench.redis()]
    for each in servers:
        each.call("ACL", "SETUSER", "gateway", "on", ">password", *rights)
    port = servers[0].port
    with ScriptedRedis(lambda words: [b"127.0.0.1", b"%d" % port]) as sentinel:
        arguments = (cluster.arguments() if kind == "cluster"
                     else f"sentinels=127.0.0.1:{sentinel.port} master=m")
        nginx = start(bench, f"{arguments} user=gateway password=password")
        keys = [f"k{i}" for i in range(12)]
        for key in keys:
            assert nginx.get("/r", "insert", key, value="gen-0001").result == "hit"
        for key in keys * 2:
            assert nginx.get("/r", "read", key).text == "gen-0001"
            assert not is_cached(nginx, key)
        used = 3 if kind == "cluster" else 1
        wait_for("one warning each",
                 lambda: nginx.log().count("no cache of sessions") == used, 5)
        nginx.stop()
