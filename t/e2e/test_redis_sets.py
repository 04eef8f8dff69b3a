"""Logins with sessions behind Sentinels and in a cluster; a session survives a failover."""

import sys
from pathlib import Path

import pytest
from bench.client import Client
from bench.gateway import SESSION_SECRET, Site
from bench.proc import make_dir, wait_for

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "stores"))


@pytest.fixture
def servers():
    """Makes the sets of t/stores and ends them."""
    from sets import Servers

    made = Servers(make_dir("sets"))
    yield made
    made.end()


def test_login_and_failover_with_sentinel(make_nginx, upstream, op, servers):
    from sets import Watched

    watched = Watched(servers)
    site = Site(make_nginx, upstream, op.provider("sentinel"), session_storage="redis",
                session_secret=SESSION_SECRET, redis_connect_timeout="1s",
                redis_sentinel_nodes=" ".join(each.place for each in watched.sentinels),
                redis_sentinel_master="mymaster")
    survives(site, lambda: watched.master.kill(),
             lambda: watched.current() is not watched.master)


def test_login_and_failover_with_a_cluster(make_nginx, upstream, op, servers):
    from sets import Cluster

    cluster = Cluster(servers)
    nodes = " ".join(f"127.0.0.1:{each.port}" for each in cluster.servers)
    site = Site(make_nginx, upstream, op.provider("cluster"), session_storage="redis",
                session_secret=SESSION_SECRET, redis_connect_timeout="1s",
                redis_cluster_nodes=nodes)
    has_keys = lambda: [each for each in cluster.servers[:3] if each.call("DBSIZE")]  # noqa: E731
    # The master that has the session dies.
    survives(site, lambda: has_keys()[0].kill(), lambda: True)


def survives(site, kill, chosen):
    clients = [Client() for _ in range(3)]
    for client in clients:
        site.login(client)
        assert site.echo(client).bearer
    seen = []
    kill()

    def back():
        seen.extend(client.navigate(site.url("/")).status for client in clients)
        return chosen() and seen[-3:] == [200, 200, 200]
    wait_for("the sessions", back, 40, 0.1)
    assert set(seen) <= {200, 503}, "nobody is sent to log in by an outage"
    assert 503 in seen, "nothing was noticed: no test"
    for client in clients:
        assert site.echo(client).bearer
    again = Client()
    site.login(again)
    assert site.echo(again).bearer
