"""Clients and workers leave while Redis is asked, and connections die under load."""

import os
import signal
import threading
import time

from conftest import answer_of, wait_for
from test_redis import frozen_burst, location, start, stored
from test_redis_outage import timed


def test_clients_that_leave(bench):
    redis = bench.redis()
    nginx = start(bench, redis, read=3000)
    nginx.get("/r", "insert", "k", value="v")
    redis.hang()
    gone = [nginx.send("/r", "read", "k") for _ in range(20)]
    stay = [nginx.send("/r", "read", "k") for _ in range(5)]
    time.sleep(0.2)
    for each in gone:
        each.close()
    time.sleep(0.2)
    redis.wake()
    assert {answer_of(each).text for each in stay} == {"v"}
    assert nginx.get("/r", "read", "k").text == "v"  # the replies nobody wanted were counted


def test_clients_that_leave_while_disconnected(bench):
    redis = bench.redis()
    redis.kill()
    nginx = start(bench, redis, connect=3000)
    gone = [nginx.send("/r", "insert", f"gone{i}", value="v") for i in range(10)]
    stay = nginx.send("/r", "insert", "k", value="v")
    time.sleep(0.3)
    for each in gone:
        each.close()
    time.sleep(0.2)
    redis.start()
    assert answer_of(stay).result == "hit"
    assert redis.call("KEYS", "*") == [stored("k").encode()]


def test_quit_with_commands_in_flight(bench):
    redis = bench.redis()
    nginx = start(bench, redis, read=3000)
    nginx.get("/r", "insert", "k", value="v")
    redis.hang()
    waiting = [nginx.send("/r", "read", "k") for _ in range(10)]
    time.sleep(0.2)
    nginx.kill(signal.SIGQUIT)
    time.sleep(0.5)
    redis.wake()
    assert {answer_of(each).text for each in waiting} == {"v"}
    assert nginx.process.wait(3) == 0


def test_quit_waits_for_the_read_timeout_and_no_longer(bench):
    redis = bench.redis()
    nginx = start(bench, redis, read=600)
    nginx.get("/r", "insert", "k", value="v")
    redis.hang()
    waiting = nginx.send("/r", "read", "k")
    time.sleep(0.1)
    nginx.kill(signal.SIGQUIT)
    assert answer_of(waiting).result == "error"
    assert nginx.process.wait(2) == 0


def test_quit_while_disconnected(bench):
    redis = bench.redis()
    redis.kill()
    nginx = start(bench, redis, connect=600)
    waiting = nginx.send("/r", "read", "k")
    time.sleep(0.1)
    nginx.kill(signal.SIGQUIT)
    assert answer_of(waiting).result == "error"
    assert nginx.process.wait(2) == 0


def test_quit_with_idle_connections(bench):
    redis = bench.redis()
    nginx = start(bench, redis, workers=2)
    for _ in range(10):
        nginx.get("/r", "read", "k")
    (_, took) = timed(lambda: nginx.stop())
    assert took < 1
    assert redis.info("clients")["connected_clients"] == "1"


def test_stop_with_everything_in_flight(bench):
    redis = bench.redis()
    nginx = bench.nginx(location(redis) + location(redis, "/x", port=1, connect=5000))
    nginx.get("/r", "read", "k")
    redis.hang()
    waiting = [nginx.send("/r", "read", "k") for _ in range(5)]
    waiting += [nginx.send("/x", "read", "k") for _ in range(5)]
    time.sleep(0.2)
    nginx.kill(signal.SIGTERM)
    assert nginx.process.wait(5) == 0
    for each in waiting:
        each.close()


def test_reload_with_commands_in_flight(bench):
    redis = bench.redis()
    nginx = start(bench, redis, read=4000)
    nginx.get("/r", "insert", "k", value="v")
    (old,) = nginx.workers()
    redis.hang()
    waiting = [nginx.send("/r", "read", "k") for _ in range(10)]
    time.sleep(0.1)
    nginx.kill(signal.SIGHUP)
    wait_for("new worker", lambda: len(nginx.workers()) == 2)
    redis.wake()
    assert {answer_of(each).text for each in waiting} == {"v"}
    wait_for("the old one ends", lambda: old not in nginx.workers(), 5)
    assert nginx.get("/r", "read", "k").text == "v"


def test_many_reloads_leave_nothing_open(bench):
    redis = bench.redis()
    nginx = start(bench, redis)
    for _ in range(10):
        assert nginx.get("/r", "insert", "k", value="v").result == "hit"
        nginx.reload()
    wait_for("closed", lambda: redis.info("clients")["connected_clients"] == "1")
    files = len(os.listdir(f"/proc/{nginx.process.pid}/fd"))
    assert files < 30


def test_connections_that_die_under_load(bench):
    redis = bench.redis()
    nginx = start(bench, redis, connections=3, connect=3000)
    stop = threading.Event()
    results = []

    def load():
        connection = nginx.connect()
        while not stop.is_set():
            connection.request("GET", "/r?op=insert&key=k&value=v&loop=5")
            response = connection.getresponse()
            body = response.read()
            results.append((response.getheader("X-Result"), body))

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(25):
        time.sleep(0.08)
        redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    stop.set()
    for thread in threads:
        thread.join()
    hits = sum(result == "hit" for result, _ in results)
    print(f"{len(results)} requests, {len(results) - hits} failed while connections were killed")
    assert len(results) > 500 and hits / len(results) > 0.99
    assert frozen_burst(nginx, 10)[0].result == "miss"
