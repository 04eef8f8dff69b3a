"""TLS to Sentinels and to the nodes that they or a cluster name: each certificate is compared."""

import ssl

import pytest
from scripted_redis import ScriptedRedis
from test_redis_tls import Parts


@pytest.fixture
def parts(bench):
    return Parts(bench)


def context(certificate):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*certificate)
    return made


@pytest.mark.parametrize("ill", [None, "sentinel", "master", "plain sentinel"])
def test_sentinel(bench, parts, ill):
    stranger = parts.ca.issue("stranger", "DNS:other.test")
    redis = parts.redis(stranger if ill == "master" else None)
    tls = None if ill == "plain sentinel" else context(
        stranger if ill == "sentinel" else parts.good)
    with ScriptedRedis(lambda words: [b"127.0.0.1", b"%d" % redis.port], tls) as sentinel:
        bench.allowed = "SSL_do_handshake"
        nginx = bench.nginx(
            f"location /r {{ store_probe redis sentinels=127.0.0.1:{sentinel.port} master=m "
            f"password=canary tls=on trust={parts.ca.certificate} connect=500; }}"
            if ill else
            f"location /r {{ store_probe redis sentinels=127.0.0.1:{sentinel.port} master=m "
            f"tls=on trust={parts.ca.certificate} connect=500; }}")
        answer = nginx.get("/r", "insert", "k", value="v")
        if ill is None:
            assert answer.result == "hit"
            assert redis.call("DBSIZE") == 1
        else:
            assert answer.result == "error"
            where = "Redis at" if ill == "master" else "Sentinel at"
            assert where in answer.text, answer
            if "plain" not in ill:
                assert 'is not for "127.0.0.1"' in answer.text
                assert ill == "master" or not sentinel.commands, "nothing is said before that"
        nginx.stop()


@pytest.mark.parametrize("ill", [False, True])
def test_cluster(bench, parts, ill):
    """The node that the topology names is another one than the seed."""
    stranger = parts.ca.issue("stranger", "DNS:other.test")
    with ScriptedRedis(lambda words: b"v", context(stranger if ill else parts.good)) as node:
        slots = [[0, 16383, [b"localhost", node.port, b"id"]]]
        with ScriptedRedis(lambda words: slots, context(parts.good)) as seed:
            bench.allowed = "SSL_do_handshake"
            nginx = bench.nginx(
                f"location /r {{ store_probe redis cluster=127.0.0.1:{seed.port} tls=on "
                f"trust={parts.ca.certificate} connect=500; }}")
            answer = nginx.get("/r", "read", "k")
            if ill:
                assert answer.result == "error" and 'is not for "localhost"' in answer.text
                assert not node.commands
            else:
                assert answer.text == "v"
            nginx.stop()
