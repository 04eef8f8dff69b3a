"""What all gateways of one store agree on: entries and sets, in shared memory and in Redis."""

import time

import pytest

ZONE = "store_probe_zone s 1m sessions;"


@pytest.fixture(params=["sessions", "redis"])
def ledger(bench, request):
    if request.param == "sessions":
        nginx = bench.nginx("location /l { store_probe sessions s; }", zones=ZONE, workers=2)
    else:
        redis = bench.redis()
        nginx = bench.nginx(f"location /l {{ store_probe redis socket={redis.socket}; }}", workers=2)
    return lambda op, name, **words: nginx.get("/l", "ledger_" + op, name, **words)


def members(ledger, name):
    answer = ledger("members", name)
    assert answer.result == "hit"
    return answer.text.split()


def test_entries(ledger):
    assert ledger("read", "n:1").result == "miss"
    assert ledger("write", "n:1", value="one").result == "hit"
    assert ledger("write", "n:1", value="two").result == "hit"
    assert ledger("read", "n:1").text == "two"
    assert ledger("read", "n:2").result == "miss"


def test_only_the_first_adds(ledger):
    assert ledger("add", "lock:k", value="me").result == "hit"
    assert ledger("add", "lock:k", value="you").result == "miss"
    assert ledger("add", "lock:k", value="me").result == "miss"
    assert ledger("read", "lock:k").text == "me"


def test_only_the_owner_erases(ledger):
    ledger("add", "lock:k", value="me")
    assert ledger("erase", "lock:k", value="you").result == "miss"
    assert ledger("read", "lock:k").text == "me"
    assert ledger("erase", "lock:k", value="me").result == "hit"
    assert ledger("erase", "lock:k", value="me").result == "miss"
    assert ledger("add", "lock:k", value="you").result == "hit"


def test_entries_end(ledger):
    ledger("add", "lock:k", value="me", ttl=300)
    ledger("write", "n:1", value="x", ttl=300)
    time.sleep(0.4)
    assert ledger("read", "n:1").result == "miss"
    assert ledger("add", "lock:k", value="you").result == "hit"


def test_sets(ledger):
    assert members(ledger, "index:a") == []
    assert ledger("leave", "index:a", value="x").result == "miss"
    for member, ttl in (("late", 60_000), ("soon", 5_000), ("later", 90_000)):
        assert ledger("join", "index:a", value=member, ttl=ttl).result == "hit"
    assert members(ledger, "index:a") == ["soon", "late", "later"]
    assert members(ledger, "index:b") == []
    assert ledger("leave", "index:a", value="late").result == "hit"
    assert ledger("leave", "index:a", value="late").result == "miss"
    assert members(ledger, "index:a") == ["soon", "later"]


def test_joining_again_moves_the_end(ledger):
    ledger("join", "index:a", value="one", ttl=300)
    ledger("join", "index:a", value="two", ttl=60_000)
    ledger("join", "index:a", value="one", ttl=90_000)
    time.sleep(0.4)
    assert members(ledger, "index:a") == ["two", "one"]


def test_members_end_each_for_itself(ledger):
    ledger("join", "index:a", value="one", ttl=300)
    ledger("join", "index:a", value="two", ttl=60_000)
    time.sleep(0.4)
    assert members(ledger, "index:a") == ["two"]
    ledger("leave", "index:a", value="two")
    assert members(ledger, "index:a") == []


def test_a_redis_that_does_not_answer_is_an_error(bench):
    redis = bench.redis()
    nginx = bench.nginx(f"location /l {{ store_probe redis socket={redis.socket}; }}")
    nginx.get("/l", "ledger_join", "index:a", value="one")
    redis.kill()
    for op in ("read", "write", "add", "erase", "join", "leave", "members"):
        assert nginx.get("/l", "ledger_" + op, "n:1", value="x").result == "error"
