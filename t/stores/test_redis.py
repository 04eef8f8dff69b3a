"""The session store in Redis, as long as Redis behaves."""

import os
import re
import signal
import time

import pytest
from conftest import answer_of, filler, free_port, path_of, wait_for
from test_shm import in_parallel


def location(redis, path="/r", **words):
    words = {"port": redis.port, **words}
    arguments = " ".join(f"{k}={v}" for k, v in words.items())
    return f"location {path} {{ store_probe redis {arguments}; }}"


def stored(key, prefix="session"):
    return f"{prefix}:{key}{'_' * (43 - len(key))}"


def start(bench, redis, workers=1, **words):
    return bench.nginx(location(redis, **words), workers=workers)


def test_sessions_come_and_go(bench):
    redis = bench.redis()
    nginx = start(bench, redis)
    assert nginx.get("/r", "read", "k").result == "miss"
    assert nginx.get("/r", "touch", "k").result == "miss"
    assert nginx.get("/r", "erase", "k").result == "hit"
    binary = b"\r\n*1\r\n$0\0" + bytes(range(256)) * 3
    assert nginx.get("/r", "insert", "k", value=binary, ttl=25_000).result == "hit"
    assert redis.call("GET", stored("k")) == binary
    assert 20_000 < redis.call("PTTL", stored("k")) <= 25_000
    answer = nginx.get("/r", "read", "k")
    assert (answer.result, answer.body) == ("hit", binary)
    assert nginx.get("/r", "touch", "k", ttl=90_000).result == "hit"
    assert 80_000 < redis.call("PTTL", stored("k")) <= 90_000
    assert redis.call("GET", stored("k")) == binary
    # What a new login replaced is not brought back to life.
    assert nginx.get("/r", "touch", "k", ttl=9_000).result == "hit"
    assert nginx.get("/r", "touch", "k", ttl=90_000).result == "miss"
    assert 5_000 < redis.call("PTTL", stored("k")) <= 9_000
    assert nginx.get("/r", "erase", "k").result == "hit"
    assert redis.call("EXISTS", stored("k")) == 0


@pytest.mark.parametrize("size", [0, 1, 16384, 65536])
def test_sizes(bench, size):
    nginx = start(bench, bench.redis())
    assert nginx.get("/r", "insert", "k", size=size).result == "hit"
    assert nginx.get("/r", "read", "k").body == filler(size)


def test_a_record_larger_than_allowed(bench):
    redis = bench.redis()
    nginx = start(bench, redis)
    assert nginx.get("/r", "insert", "k", size=65537).result == "error"
    assert redis.call("DBSIZE") == 0
    redis.call("SET", stored("k"), b"x" * 65537)
    answer = nginx.get("/r", "read", "k")
    assert (answer.result, answer.text) == ("error", "the record is longer than allowed")


def test_replace_compares_the_generation(bench):
    redis = bench.redis()
    nginx = start(bench, redis)
    replace = lambda **words: nginx.get("/r", "replace", "k", **words).result  # noqa: E731
    assert replace(generation="gen-0001", value="gen-0002") == "miss"
    assert redis.call("EXISTS", stored("k")) == 0
    nginx.get("/r", "insert", "k", value="gen-0001 one", ttl=50_000)
    assert replace(generation="gen-0002", value="gen-0003 two") == "miss"
    assert replace(generation="gen-0001", value=b"gen-0002 \0\r\n", ttl=90_000) == "hit"
    assert redis.call("GET", stored("k")) == b"gen-0002 \0\r\n"
    assert 40_000 < redis.call("PTTL", stored("k")) <= 50_000, "no life becomes longer"
    assert replace(generation="gen-0001", value="gen-0003") == "miss"
    # A first try whose reply was lost: its own write is there.
    assert replace(generation="gen-0001", value=b"gen-0002 \0\r\n") == "hit"
    assert replace(generation="gen", value="gen-0003") == "error"
    # The script's text went out once, then its digest sufficed.
    calls = redis.info("commandstats")
    assert "calls=1," in calls["cmdstat_eval"]
    redis.call("SCRIPT", "FLUSH")
    assert replace(generation="gen-0002", value="gen-0003") == "hit"


def test_a_value_of_another_type(bench):
    redis = bench.redis()
    nginx = start(bench, redis)
    redis.call("LPUSH", stored("k"), "v")
    answer = nginx.get("/r", "read", "k")
    assert (answer.result, answer.text.split(":")[1]) == ("error", " WRONGTYPE")


def test_prefix_and_database(bench):
    redis = bench.redis()
    nginx = start(bench, redis, prefix="app:1", db=7)
    assert nginx.get("/r", "insert", "k", value="v").result == "hit"
    assert redis.call("DBSIZE") == 0
    assert redis.info("keyspace")["db7"].startswith("keys=1,")
    keys = redis.call("EVAL", "redis.call('SELECT', 7) return redis.call('KEYS', '*')", 0)
    assert keys == [stored("k", "app:1").encode()]


def test_a_database_that_is_not_there(bench):
    nginx = start(bench, bench.redis(), db=99, connect=300)
    answer = nginx.get("/r", "read", "k")
    assert answer.result == "error" and "ERR DB index is out of range" in answer.text


def test_unix_socket(bench):
    redis = bench.redis()
    nginx = bench.nginx(f"location /r {{ store_probe redis socket={redis.socket}; }}")
    assert nginx.get("/r", "insert", "k", value="v").result == "hit"
    assert nginx.get("/r", "read", "k").text == "v"


def test_unix_socket_that_is_not_there(bench):
    # nginx itself says "crit" for a missing socket.
    bench.allowed = r"connect\(\) to unix:/nowhere/s failed"
    nginx = bench.nginx("location /r { store_probe redis socket=/nowhere/s connect=300; }"
                        f"location /l {{ store_probe redis socket=/{'l' * 200} connect=300; }}")
    answer = nginx.get("/r", "read", "k")
    assert answer.result == "error" and "unix:/nowhere/s" in answer.text
    answer = nginx.get("/l", "read", "k")
    assert answer.result == "error" and "too long" in answer.text


def test_host_names(bench):
    redis = bench.redis()
    nginx = bench.nginx(location(redis, host="localhost")
                        + location(redis, "/bad", host="nowhere.invalid", connect=300))
    assert nginx.get("/r", "insert", "k", value="v").result == "hit"
    answer = nginx.get("/bad", "read", "k")
    assert answer.result == "error" and "could not resolve nowhere.invalid" in answer.text


def test_one_connection_is_enough_for_little_traffic(bench):
    redis = bench.redis()
    nginx = start(bench, redis, connections=4)
    for i in range(30):
        nginx.get("/r", "insert", f"k{i}", value="v")
    assert redis.info("clients")["connected_clients"] == "2"  # and the one that asks
    assert b"name=ngx_openid_connect" in redis.call("CLIENT", "LIST")


def test_nothing_is_connected_before_it_is_needed(bench):
    redis = bench.redis()
    nginx = start(bench, redis, workers=2)
    assert redis.info("stats")["total_connections_received"] == "2"  # the probe at start, and this
    nginx.get("/r", "read", "k")


def frozen_burst(nginx, count, op="read", **words):
    """That many requests which the worker finds in one turn of its loop."""
    (worker,) = wait_for("worker", nginx.workers)
    os.kill(worker, signal.SIGSTOP)
    connections = [nginx.send("/r", op, f"k{i}", **words) for i in range(count)]
    time.sleep(0.1)
    os.kill(worker, signal.SIGCONT)
    return [answer_of(each) for each in connections]


def test_commands_of_one_turn_go_out_together(bench):
    redis = bench.redis()
    nginx = start(bench, redis, connections=1)
    nginx.get("/r", "read", "k")
    reads = lambda: int(redis.info("stats")["total_reads_processed"])  # noqa: E731
    before = reads()
    answers = frozen_burst(nginx, 100)
    assert {each.result for each in answers} == {"miss"}
    used = reads() - before - 1
    print(f"100 commands in {used} reads of Redis")
    assert used <= 10
    assert "calls=101," in redis.info("commandstats")["cmdstat_get"]


def test_more_connections_for_much_traffic(bench):
    redis = bench.redis()
    nginx = start(bench, redis, connections=3)
    for _ in range(4):
        answers = frozen_burst(nginx, 60)
        assert {each.result for each in answers} == {"miss"}
    stats = nginx.get("/r", "stats").text
    assert "connections=3" in stats and "failures=0" in stats
    assert redis.info("clients")["connected_clients"] == "4"


def test_answers_keep_their_order(bench):
    redis = bench.redis()
    nginx = start(bench, redis, connections=2)
    for i in range(50):
        redis.call("SET", stored(f"k{i}"), f"value {i}" + "x" * (i * 997 % 30_000))
    for _ in range(5):
        for i, answer in enumerate(frozen_burst(nginx, 50)):
            assert answer.text == f"value {i}" + "x" * (i * 997 % 30_000)


def test_large_records_both_ways_at_once(bench):
    redis = bench.redis()
    nginx = start(bench, redis, connections=1)
    answers = frozen_burst(nginx, 60, op="insert", size=60_000)
    assert {each.result for each in answers} == {"hit"}
    answers = frozen_burst(nginx, 60)
    assert all(each.body == filler(60_000) for each in answers)


def test_an_idle_worker_does_not_spin(bench):
    redis = bench.redis()
    nginx = start(bench, redis, connections=1)
    assert {each.result for each in frozen_burst(nginx, 60, op="insert", size=60_000)} == {"hit"}
    (worker,) = nginx.workers()

    def ticks():
        with open(f"/proc/{worker}/stat", encoding="ascii") as stat:
            return sum(map(int, stat.read().split()[13:15]))

    before = ticks()
    time.sleep(1)
    assert ticks() - before < 10


def test_compare_and_set_between_workers(bench):
    redis = bench.redis()
    nginx = start(bench, redis, workers=4)
    nginx.get("/r", "insert", "counter", value=f"{0:08}")
    won = [0] * 6

    def count(number):
        connection = nginx.connect()

        def call(op, **words):
            connection.request("GET", path_of("/r", op, "counter", **words))
            response = connection.getresponse()
            return response.getheader("X-Result"), response.read()

        for _ in range(100):
            result, value = call("read")
            assert result == "hit"
            result, _ = call("replace", generation=value[:8], value=f"{int(value[:8]) + 1:08}")
            # Two that write the same number both find it written: as one retry would.
            assert result in ("hit", "miss")
            won[number] += result == "hit"

    in_parallel(6, count)
    final = int(nginx.get("/r", "read", "counter").body[:8])
    assert 100 <= final <= sum(won)


# ---- passwords, access lists --------------------------------------------------------------------


def test_requirepass(bench):
    redis = bench.redis("requirepass canary-password")
    nginx = bench.nginx(location(redis, password="canary-password")
                        + location(redis, "/none", connect=300)
                        + location(redis, "/wrong", password="canary-wrong", connect=300))
    assert nginx.get("/r", "insert", "k", value="v").result == "hit"
    answer = nginx.get("/none", "read", "k")
    assert answer.result == "error" and "NOAUTH" in answer.text
    answer = nginx.get("/wrong", "read", "k")
    assert answer.result == "error" and "WRONGPASS" in answer.text
    assert "WRONGPASS" in nginx.log()
    assert "canary" not in nginx.log() + answer.text


def test_a_password_that_nobody_wants(bench):
    nginx = start(bench, bench.redis(), password="canary", connect=300)
    answer = nginx.get("/r", "read", "k")
    assert answer.result == "error" and "without any password configured" in answer.text


def test_acl_user(bench):
    allowed = "+get +getrange +set +pttl +pexpire +unlink +eval +evalsha +client|setname"
    redis = bench.redis(f"user app on >s3cret ~session:* {allowed}", "user default off")
    nginx = bench.nginx(location(redis, user="app", password="s3cret")
                        + location(redis, "/other", user="app", password="s3cret", prefix="other")
                        + location(redis, "/wrong", user="nobody", password="s3cret", connect=300))
    assert nginx.get("/r", "insert", "k", value="gen-0001").result == "hit"
    assert nginx.get("/r", "replace", "k", generation="gen-0001", value="gen-0002").result == "hit"
    assert nginx.get("/r", "read", "k").text == "gen-0002"
    answer = nginx.get("/other", "read", "k")
    assert answer.result == "error" and "NOPERM" in answer.text
    answer = nginx.get("/wrong", "read", "k")
    assert answer.result == "error" and "WRONGPASS" in answer.text


def test_an_acl_user_who_may_not_set_a_name(bench):
    redis = bench.redis("user app on >s3cret ~* +get", "user default off")
    nginx = start(bench, redis, user="app", password="s3cret")
    assert nginx.get("/r", "read", "k").result == "miss"
    answer = nginx.get("/r", "insert", "k", value="v")
    assert answer.result == "error" and "NOPERM" in answer.text


def test_a_user_who_is_deleted_meanwhile(bench):
    redis = bench.redis("user app on >s3cret ~* +@all", "user default on nopass ~* +@all")
    nginx = start(bench, redis, user="app", password="s3cret", connect=400)
    assert nginx.get("/r", "insert", "k", value="v").result == "hit"
    redis.call("ACL", "DELUSER", "app")
    answer = nginx.get("/r", "read", "k")
    assert answer.result == "error" and "WRONGPASS" in answer.text
    redis.call("ACL", "SETUSER", "app", "on", ">s3cret", "~*", "+@all")
    wait_for("back", lambda: nginx.get("/r", "read", "k").result == "hit")


# ---- what Redis refuses --------------------------------------------------------------------------


def test_out_of_memory(bench):
    redis = bench.redis("maxmemory 3mb", "maxmemory-policy noeviction")
    nginx = start(bench, redis)
    results = set()
    for i in range(100):
        answer = nginx.get("/r", "insert", f"k{i}", size=60_000)
        results.add(answer.result)
        if answer.result == "full":
            break
    assert results == {"hit", "full"} and "OOM" in answer.text
    assert nginx.get("/r", "read", "k0").body == filler(60_000)
    replaced = nginx.get("/r", "replace", "k0", generation=filler(8), size=60_000)
    assert replaced.result == "full" and "OOM" in replaced.text
    nginx.get("/r", "erase", "k0")
    nginx.get("/r", "erase", "k1")
    assert nginx.get("/r", "insert", "k", value="v").result == "hit"


def test_read_only_replica(bench):
    redis = bench.redis("replica-serve-stale-data yes")
    nginx = start(bench, redis)
    assert nginx.get("/r", "insert", "k", value="v").result == "hit"
    redis.call("REPLICAOF", "127.0.0.1", "1")
    before = int(redis.info("stats")["total_connections_received"])
    answer = nginx.get("/r", "insert", "k", value="w")
    assert answer.result == "error" and "READONLY" in answer.text
    assert nginx.get("/r", "read", "k").text == "v"
    # It asked the name servers anew by connecting again: the master may be elsewhere now.
    assert int(redis.info("stats")["total_connections_received"]) > before + 1
    redis.call("REPLICAOF", "NO", "ONE")
    assert nginx.get("/r", "insert", "k", value="w").result == "hit"


def test_loading(bench):
    redis = bench.redis("key-load-delay 3000", "loading-process-events-interval-bytes 1024")
    nginx = start(bench, redis)
    nginx.get("/r", "insert", "k", value="v")
    for i in range(400):
        redis.call("SET", f"filler{i}", b"x" * 1000)
    redis.call("SAVE")
    redis.kill()
    redis.start()
    answer = nginx.get("/r", "read", "k")
    assert (answer.result, "LOADING" in answer.text) == ("error", True), answer
    wait_for("loaded", lambda: nginx.get("/r", "read", "k").text == "v", 20)


def test_a_cluster_node(bench):
    redis = bench.redis("cluster-enabled yes", f"cluster-port {free_port()}")
    nginx = start(bench, redis)
    answer = nginx.get("/r", "read", "k")
    assert answer.result == "error" and "CLUSTERDOWN" in answer.text


def test_the_log_is_quiet_about_ordinary_things(bench):
    redis = bench.redis()
    nginx = start(bench, redis)
    for i in range(20):
        nginx.get("/r", "insert", f"k{i}", value="canary-value")
        nginx.get("/r", "read", f"k{i}")
    lines = [line for line in nginx.log().splitlines() if re.search(r"\[(error|warn)\]", line)]
    assert not lines and "canary" not in nginx.log()
