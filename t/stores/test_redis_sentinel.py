"""Redis behind Sentinels: the master is found, and found again after a failover under load."""

import itertools
import time

import pytest
from conftest import free_port, wait_for
from load import judge, loaded, recovered
from scripted_redis import ScriptedRedis
from sets import Sentinel, Watched, have_followed
from test_redis import stored


def start(bench, watched, **words):
    return bench.nginx(f"location /r {{ store_probe redis {watched.arguments(**words)}; }}")


def test_the_master_is_found(bench):
    watched = Watched(bench, replicas=1)
    nginx = start(bench, watched, db=3)
    assert nginx.get("/r", "insert", "k", value="gen-0001").result == "hit"
    assert nginx.get("/r", "replace", "k", generation="gen-0001", value="gen-0002").result == "hit"
    assert nginx.get("/r", "read", "k").text == "gen-0002"
    assert nginx.get("/r", "ledger_join", "index:a", value="one").result == "hit"
    assert nginx.get("/r", "ledger_members", "index:a").text.split() == ["one"]
    assert watched.master.info("keyspace")["db3"].startswith("keys=2,")
    assert "[error]" not in nginx.log()
    # Each connection asked one Sentinel once, and looked at the server's role.
    assert "calls=1," in watched.master.info("commandstats")["cmdstat_role"]
    # A Sentinel that does not know the name says so, and the others are asked as well.
    other = bench.nginx(
        f"location /r {{ store_probe redis {watched.arguments(master='nobody', connect=500)}; }}")
    answer = other.get("/r", "read", "k")
    assert answer.result == "error" and answer.text.count('knows no master "nobody"') == 3


def test_credentials_of_sentinels_are_their_own(bench):
    secret = "requirepass canary-sentinel"
    watched = Watched(bench, replicas=0, sentinels=1, lines=[secret],
                      user=("default", "canary-sentinel"))
    watched.master.call("CONFIG", "SET", "requirepass", "canary-redis")
    right = watched.arguments(password="canary-redis", sentinel_password="canary-sentinel")
    nginx = bench.nginx(
        f"location /r {{ store_probe redis {right}; }}"
        f"location /none {{ store_probe redis {watched.arguments(connect=300)}; }}"
        f"location /wrong {{ store_probe redis "
        f"{watched.arguments(connect=300, sentinel_password='canary-redis')}; }}")
    assert nginx.get("/r", "insert", "k", value="v").result == "hit"
    answer = nginx.get("/none", "read", "k")
    assert answer.result == "error" and "Sentinel at" in answer.text and "NOAUTH" in answer.text
    answer = nginx.get("/wrong", "read", "k")
    assert answer.result == "error" and "WRONGPASS" in answer.text
    assert "canary" not in nginx.log() + answer.text


@pytest.mark.parametrize("ill", ["dead", "hanging"])
def test_one_sentinel_of_three_suffices(bench, ill):
    watched = Watched(bench, replicas=0)
    nginx = start(bench, watched, connect=1000)
    for each in watched.sentinels[:2]:
        if ill == "dead":
            each.kill()
        else:
            each.process.send_signal(19)
    started = time.monotonic()
    assert nginx.get("/r", "insert", "k", value="v").result == "hit"
    took = time.monotonic() - started
    print(f"two of three Sentinels {ill}: the first answer after {took * 1000:.0f} ms")
    assert took < 1.5
    assert nginx.get("/r", "read", "k").text == "v"


def test_no_sentinel_at_all(bench):
    ports = ",".join(f"127.0.0.1:{free_port()}" for _ in range(3))
    nginx = bench.nginx(
        f"location /r {{ store_probe redis sentinels={ports} master=m connect=300; }}")
    started = time.monotonic()
    answer = nginx.get("/r", "read", "k")
    assert answer.result == "error" and "no Sentinel says where the master is" in answer.text
    assert time.monotonic() - started < 1
    wait_for("known", lambda: "[error]" in nginx.log())
    started = time.monotonic()
    assert nginx.get("/r", "read", "k").result == "error"
    assert time.monotonic() - started < 0.5


def test_failover_under_load(bench):
    watched = Watched(bench)
    nginx = start(bench, watched, connect=1000, read=1000)
    loads = loaded(nginx)
    old = watched.master
    have_followed(old, watched.servers[1:])
    began = time.monotonic()
    old.kill()
    wait_for("the Sentinels chose", lambda: watched.current() is not old, 60)
    chosen = time.monotonic() - began
    recovered(loads)
    new = watched.current()
    # The old master comes back: at first it takes itself for a master, then it is a replica.
    old.start()
    time.sleep(1)
    said, errors = judge(loads, began, may_lose=len(loads))
    assert errors > 0, "nothing was noticed: no test"
    print(f"Sentinel failover: new master after {chosen:.2f} s; {said}")
    # Everything that was written stands at the new master, nothing of it was written to the old one.
    # A Sentinel that was not run for two seconds does nothing for thirty (its TILT mode).
    for load in loads:
        for key, value in load.written.items():
            at = f"session:{key}" if key.startswith("ledger:") else stored(key)
            may_be = {value.encode(), *(each.encode() for each in load.doubtful.get(key, ()))}
            found = new.call("GET", at)
            assert found in may_be, (key, found, may_be, load.lost, new is watched.current())
    wait_for("a replica", lambda: old.info("replication")["role"] == "slave", 60)
    # On a slow machine the Sentinels may have chosen once more, and may choose now.
    later = itertools.count()

    def is_written():
        key = f"later{next(later)}"
        answer = nginx.get("/r", "insert", key, value="v")
        return answer.result == "hit" and watched.current().call("GET", stored(key)) == b"v"
    wait_for("a write at the master", is_written, 20)
    assert 'the master "mymaster" of Redis is' in nginx.log()


def test_a_master_that_becomes_a_replica_is_left(bench):
    """Not killed: the Sentinels are told to choose another one. Until they tell the old one it takes
    itself for the master; that it then has no replica makes it refuse writes."""
    watched = Watched(bench, replicas=1, sentinels=1)
    old = watched.master
    old.call("CONFIG", "SET", "min-replicas-to-write", 1)
    nginx = start(bench, watched)
    loads = loaded(nginx, threads=1)
    have_followed(old, watched.servers[1:])
    began = time.monotonic()
    wait_for("a replica that may follow",  # its state is asked for once in a while
             lambda: watched.sentinels[0].call("SENTINEL", "FAILOVER", "mymaster") == b"OK", 60)
    wait_for("another master", lambda: watched.current() is not old, 60)
    wait_for("a replica", lambda: old.info("replication")["role"] == "slave", 60)
    recovered(loads)
    print("ordered failover: " + judge(loads, began, may_lose=1)[0])
    assert nginx.get("/r", "insert", "later", value="v").result == "hit"
    assert watched.current().call("GET", stored("later")) == b"v"


def test_a_sentinel_that_names_a_replica(bench):
    """What is named is looked at before it is used."""
    watched = Watched(bench, replicas=1, sentinels=1)
    replica = watched.servers[1]
    watched.sentinels[0].kill()
    # A Sentinel of another opinion: it calls the replica the master, and then learns better.
    place = [replica.port]
    with ScriptedRedis(lambda words: [b"127.0.0.1", b"%d" % place[0]]) as liar:
        nginx = bench.nginx(f"location /r {{ store_probe redis sentinels=127.0.0.1:{liar.port} "
                            "master=m connect=300; }")
        answer = nginx.get("/r", "insert", "k", value="v")
        assert answer.result == "error" and "it is no master" in answer.text
        assert replica.call("DBSIZE") == 0
        place[0] = watched.master.port
        wait_for("the master", lambda: nginx.get("/r", "insert", "k", value="v").result == "hit")
        nginx.stop()


@pytest.mark.parametrize("reply", [None, b"text", [], [b"a"], [b"", b"1"], [b"a", b"0"],
                                   [b"a", b"70000"], [b"a", b"1x"], [b"127.0.0.1", b"1", b"2"]])
def test_what_a_sentinel_may_say(bench, reply):
    with ScriptedRedis(lambda words: reply) as odd:
        nginx = bench.nginx(f"location /r {{ store_probe redis sentinels=127.0.0.1:{odd.port} "
                            "master=m connect=200; }")
        answer = nginx.get("/r", "read", "k")
        assert answer.result == "error" and "Sentinel at 127.0.0.1" in answer.text, answer
        nginx.stop()


def test_addresses_of_ipv6(bench):
    redis = bench.redis("bind ::1")  # and nowhere else
    sentinel = Sentinel(bench.directory / "sentinel", redis, quorum=1, host="::1")
    bench.also.append(sentinel)
    wait_for("the Sentinel", lambda: sentinel.knows(0, 1), 20)
    nginx = bench.nginx(f"location /r {{ store_probe redis sentinels=[::1]:{sentinel.port} "
                        "master=mymaster; }")
    assert nginx.get("/r", "insert", "k", value="v").result == "hit"
    assert redis.call("GET", stored("k")) == b"v"
