"""oidc_session_outage with Sentinels and in a cluster: what counts is the node that has the session."""

import time

import pytest
from bench.proc import wait_for
from bench.redis_sets import RedisSet
from test_session_cache import SAME, copy_of, logged_in
from test_session_cache_sets import logged_in_at, logouts_meanwhile
from test_session_outage import NOISE, recovered, served_for, status, until


@pytest.fixture
def provider(op, request):
    return op.provider(request.node.name)


@pytest.fixture(scope="module")
def cluster():
    made = RedisSet("cluster")
    for each in made.servers:  # else all are down while one is
        each.call("CONFIG", "SET", "cluster-require-full-coverage", "no")
    yield made
    made.end()


@pytest.fixture(autouse=True)
def awake(cluster):
    """Nothing hangs for the next test because this one failed."""
    yield
    for each in cluster.servers:
        each.wake()


def log_out(site, client):
    response = client.request("POST", site.url("/logout"), SAME, b"")
    assert response.status in (302, 303), response


def test_one_master_of_a_cluster_hangs(cluster, make_nginx, upstream, provider):
    """Nobody can take its place. Its sessions go on for T since it confirmed them; those of others
    are not concerned; a logout holds at once, and the node is told when it is back."""
    ill, well = cluster.masters()[:2]
    site = cluster.site(make_nginx, upstream, provider, session_outage="cached=6s",
                        http="oidc_session_cache 1m max_age=1s;")
    plain = cluster.site(make_nginx, upstream, provider)
    client, _ = logged_in_at(site, cluster, ill)
    ended, name = logged_in_at(site, cluster, ill)
    other, _ = logged_in_at(site, cluster, well)
    thief = copy_of(ended)
    time.sleep(1.1)
    asked = time.monotonic()
    bearer = site.echo(client).bearer  # confirmed anew
    for each in (ended, other):
        assert status(site, each) == 200 and status(plain, each) == 200
    replica = next(each for each in cluster.servers
                   if each.info("replication").get("master_port") == str(ill.port))
    for each in (ill, replica):
        each.hang()
    log_out(site, ended)

    def others():
        assert status(site, other) == 200 and status(plain, other) == 200
        assert site.asks_for_login(thief)

    served_for(site, client, asked, 6, others)
    until(site, client, 503, NOISE)
    assert status(plain, client) == 503 and status(plain, other) == 200
    jar = dict(client.jar)
    for each in (ill, replica):
        each.wake()
    recovered(site, client)
    assert site.echo(client).bearer == bearer and client.jar == jar
    wait_for("the logout is told", lambda: name not in cluster.records(), 20, 0.05)
    assert site.asks_for_login(thief) and plain.asks_for_login(thief)


def test_all_servers_behind_sentinels_hang(make_nginx, upstream, provider):
    redis = RedisSet("sentinel")
    site = redis.site(make_nginx, upstream, provider, session_outage="cached=1m")
    plain = redis.site(make_nginx, upstream, provider)
    client = logged_in(site)
    before = redis.records()
    ended = logged_in(site)
    name, = set(redis.records()) - set(before)
    thief = copy_of(ended)
    for each in (client, ended):
        assert status(site, each) == 200 and status(plain, each) == 200
    for each in redis.servers:
        each.hang()
    log_out(site, ended)
    until(plain, client, 503, 2 + NOISE)
    for _ in range(20):
        assert status(site, client) == 200
        assert site.asks_for_login(thief)
    for each in redis.servers:
        each.wake()
    recovered(plain, client)
    wait_for("the logout is told", lambda: name not in redis.records(), 20, 0.05)
    assert site.asks_for_login(thief)
    wait_for("told", lambda: plain.asks_for_login(thief), 5, 0.05)
    assert status(site, client) == 200
    redis.end()


def test_a_killed_master_is_bridged(cluster, make_nginx, upstream, provider, capsys):
    """With cached no request is refused for it; a logout in that time is told to the successor."""
    one, two = [cluster.site(make_nginx, upstream, provider, session_outage="cached=1m")
                for _ in range(2)]
    killed, times = cluster.masters()[0], []

    def disturb():
        time.sleep(0.5)
        killed.kill()
        times.append(time.monotonic())
        wait_for("another master", lambda: len(cluster.masters()) == 3, 30)
        times.append(time.monotonic())
    said, late = logouts_meanwhile(cluster, one, two, disturb)
    chosen = times[1] - times[0]
    with capsys.disabled():
        print(f"\n    cached, a master is killed, another one after {chosen:.2f} s: {said}")
    assert "0 tries refused" in said
    assert late < chosen + 2 + NOISE  # told by then
