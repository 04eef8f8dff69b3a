"""A full zone of sessions: what goes, what stays, and what the log says of it."""

import time

from conftest import filler, path_of
from test_shm import start, stats


def test_a_full_zone_evicts_and_says_so(bench):
    nginx = start(bench, sessions="64k")
    connection = nginx.connect()
    for i in range(60):
        connection.request("GET", path_of("/s", "insert", f"k{i}", size=3000))
        connection.getresponse().read()
    assert nginx.get("/s", "read", "k59").body == filler(3000)
    assert nginx.get("/s", "read", "k0").result == "miss"
    assert stats(nginx, "/s")["evicted"] > 30
    warnings = [line for line in nginx.log().splitlines() if "is full" in line]
    assert len(warnings) == 1 and "[warn]" in warnings[0], warnings
    assert 'zone "s" is full: 1 live sessions were evicted' in warnings[0]


def test_sessions_go_before_what_stands_beside_them(bench):
    """Tombstones and locks stay until they expire, whoever fills the zone."""
    nginx = start(bench, sessions="64k")
    for i in range(10):
        assert nginx.get("/s", "ledger_write", f"logged-out:{i}", value="1").result == "hit"
        assert nginx.get("/s", "ledger_join", f"by-x:{i}", value="1.nobody").result == "hit"
    for i in range(60):
        assert nginx.get("/s", "insert", f"k{i}", size=3000).result == "hit"
    for i in range(10):
        assert nginx.get("/s", "ledger_read", f"logged-out:{i}").text == "1"
        assert nginx.get("/s", "ledger_members", f"by-x:{i}").text.split() == ["1.nobody"]
    # They take a quarter of the zone at most.
    answers = [nginx.get("/s", "ledger_write", f"more:{i}", value="1").result for i in range(120)]
    assert "full" in answers and answers[0] == "hit"
    assert nginx.get("/s", "read", "k59").result == "hit"
    log = nginx.log()
    assert log.count("has no room: ") == 1, log
    assert "live sessions were evicted" in log


def test_renewals_take_no_room_from_logouts(bench):
    """Each use of a remember cookie leaves an entry, as fast as a client likes."""
    nginx = start(bench, sessions="64k")
    answers = [nginx.get("/s", "ledger_write", f"renewed:{i}", value="1").result for i in range(60)]
    assert answers[0] == "hit" and answers[-1] == "full"
    assert nginx.get("/s", "ledger_write", "logged-out:1", value="1").result == "hit"
    assert nginx.get("/s", "ledger_join", "by-x:1", value="1.nobody").result == "hit"
    assert nginx.get("/s", "insert", "session", size=3000).result == "hit"


def test_a_set_goes_with_the_sessions_that_it_names(bench):
    """A session that no logout would find must not live."""
    nginx = start(bench, sessions="64k")
    for i in range(120):
        name = f"k{i}"
        assert nginx.get("/s", "insert", name, size=100).result == "hit"
        member = f"1.{name}{'_' * (43 - len(name))}"
        assert nginx.get("/s", "ledger_join", f"by-x:{i}", value=member).result == "hit"
        time.sleep(0.001)
    alive = [i for i in range(120) if nginx.get("/s", "read", f"k{i}").result == "hit"]
    known = [i for i in range(120) if nginx.get("/s", "ledger_members", f"by-x:{i}").text]
    assert 119 in alive and 119 in known
    assert 0 not in alive and 0 not in known
    assert set(alive) <= set(known)
    assert "the index has used up its half" in nginx.log()
    assert stats(nginx, "/s")["evicted"] >= 120 - len(alive)


def test_expired_sessions_go_before_live_ones(bench):
    nginx = start(bench, sessions="64k")
    for i in range(8):
        assert nginx.get("/s", "insert", f"old{i}", size=3000, ttl=200).result == "hit"
    time.sleep(0.3)
    for i in range(8):
        assert nginx.get("/s", "insert", f"new{i}", size=3000).result == "hit"
    assert all(nginx.get("/s", "read", f"new{i}").result == "hit" for i in range(8))
    assert stats(nginx, "/s")["evicted"] == 0
    assert "is full" not in nginx.log()
