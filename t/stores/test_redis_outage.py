"""Redis hangs, dies, comes back, talks nonsense."""

import socket
import threading
import time

import pytest
from conftest import answer_of, free_port, wait_for
from test_redis import start


class Elsewhere(threading.Thread):
    """Other traffic of the same worker: the longest time that one of its requests took."""

    def __init__(self, nginx):
        super().__init__()
        self.nginx, self.worst, self.count, self.over = nginx, 0.0, 0, threading.Event()
        self.start()

    def run(self):
        connection = self.nginx.connect()
        while not self.over.is_set():
            started = time.monotonic()
            connection.request("GET", "/plain")
            assert connection.getresponse().read() == b"plain"
            self.worst = max(self.worst, time.monotonic() - started)
            self.count += 1
            time.sleep(0.002)

    def end(self):
        self.over.set()
        self.join()
        return self.worst


def in_background(body, *arguments):
    threading.Thread(target=body, args=arguments, daemon=True).start()


def timed(call):
    started = time.monotonic()
    return call(), time.monotonic() - started


def test_a_hanging_redis_delays_nobody_else(bench):
    redis = bench.redis()
    nginx = start(bench, redis, read=500, connect=500, connections=2)
    assert nginx.get("/r", "insert", "k", value="v").result == "hit"
    redis.hang()
    elsewhere = Elsewhere(nginx)
    begun = time.monotonic()
    waiting = [nginx.send("/r", "read", "k") for _ in range(40)]
    answers = [answer_of(each) for each in waiting]
    took = time.monotonic() - begun
    assert {each.result for each in answers} == {"error"}
    assert "did not answer in time" in answers[0].text
    assert 0.45 < took < 0.8, took
    # The next ones wait for a connection, which is accepted by the kernel and never greeted.
    answer, took = timed(lambda: nginx.get("/r", "read", "k"))
    assert answer.result == "error" and took < 0.8, (answer, took)
    worst = elsewhere.end()
    print(f"while Redis hangs: {elsewhere.count} other requests, worst {worst * 1000:.1f} ms")
    assert worst < 0.1
    redis.wake()
    wait_for("recovery", lambda: nginx.get("/r", "read", "k").result == "hit", 5)


def test_when_redis_is_known_to_be_down_nobody_waits(bench):
    redis = bench.redis()
    nginx = start(bench, redis, connect=400)
    nginx.get("/r", "insert", "k", value="v")
    redis.kill()
    answer, took = timed(lambda: nginx.get("/r", "read", "k"))
    assert answer.result == "error" and took < 0.6
    assert "Connection refused" in answer.text
    wait_for("known", lambda: timed(lambda: nginx.get("/r", "read", "k"))[1] < 0.05)
    # From now on most are told at once; some wait for the attempt that is under way.
    took = [timed(lambda: nginx.get("/r", "read", "k"))[1] for _ in range(50)]
    assert max(took) < 0.2, took
    assert nginx.log().count("Connection refused") < 5, "one line for one outage"


def test_attempts_to_connect_have_pauses(bench):
    port = free_port()
    attempts = []

    def count(server):
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            attempts.append(time.monotonic())
            connection.close()

    with socket.create_server(("127.0.0.1", port), backlog=50) as server:
        in_background(count, server)
        nginx = bench.nginx(f"location /r {{ store_probe redis port={port} connect=300; }}")
        end = time.monotonic() + 6
        while time.monotonic() < end:
            assert nginx.get("/r", "read", "k").result == "error"
            time.sleep(0.01)
        server.shutdown(socket.SHUT_RDWR)
    assert 4 <= len(attempts) <= 16, len(attempts)
    pauses = [b - a for a, b in zip(attempts, attempts[1:])]
    assert max(pauses) < 2.5 and max(pauses) > 0.8 and min(pauses) < 0.3, pauses


def test_without_demand_nobody_knocks(bench):
    port = free_port()
    nginx = bench.nginx(f"location /r {{ store_probe redis port={port} connect=300; }}")
    assert nginx.get("/r", "read", "k").result == "error"
    time.sleep(1)
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(3)
        with pytest.raises(TimeoutError):
            server.accept()


def test_killed_and_restarted(bench):
    redis = bench.redis()
    nginx = start(bench, redis, connect=3000)
    nginx.get("/r", "insert", "k", value="v")
    redis.kill()
    waiting = [nginx.send("/r", "insert", f"k{i}", value="v") for i in range(10)]
    time.sleep(0.5)
    redis.start()
    # Those that came while it was away got through.
    assert {answer_of(each).result for each in waiting} == {"hit"}
    assert redis.call("DBSIZE") == 10
    assert "is reachable again" in nginx.log()


def test_commands_in_flight_are_sent_again(bench):
    redis = bench.redis()
    nginx = start(bench, redis, connect=3000, read=5000)
    nginx.get("/r", "insert", "k0", value="v")
    redis.hang()
    inserts = [nginx.send("/r", "insert", f"k{i}", value="gen-0001") for i in range(20)]
    time.sleep(0.3)  # they are in the socket
    redis.kill()
    redis.start()
    assert {answer_of(each).result for each in inserts} == {"hit"}
    assert redis.call("DBSIZE") == 20


def test_an_idle_connection_that_redis_closed(bench):
    redis = bench.redis()
    nginx = start(bench, redis)
    for _ in range(3):
        assert nginx.get("/r", "insert", "k", value="v").result == "hit"
        assert redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes") >= 1
        assert nginx.get("/r", "read", "k").result == "hit"
    assert "[error]" not in nginx.log()


def test_a_command_is_sent_again_once_only(bench):
    """A server that greets and then closes at each command."""
    commands = []

    def serve(server):
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(4096)
                connection.sendall(b"+OK\r\n")
                commands.append(connection.recv(4096))

    with socket.create_server(("127.0.0.1", 0)) as server:
        in_background(serve, server)
        port = server.getsockname()[1]
        nginx = bench.nginx(f"location /r {{ store_probe redis port={port}; }}")
        answer, took = timed(lambda: nginx.get("/r", "read", "k"))
        assert answer.result == "error" and "closed the connection" in answer.text
        assert took < 1
        assert len([each for each in commands if b"GET" in each]) == 2
        nginx.stop()
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not its protocol"),
        (b"$1\r\nv\r\n+surplus\r\n", None),
        (b"$5\r\nab", "did not answer in time"),
        (b"*1000000000\r\n", "not its protocol"),
        (b":7\r\n", "another type"),
        (b"-ERR canary 'canary'\r\n", "Redis answered: ERR canary"),
        (b"-\x1b[31m\r\n", "an error of no known kind"),
        (b"$3000000000\r\n" + b"x" * 100, "did not answer in time"),
    ],
)
def test_nonsense(bench, reply, complaint):
    def serve(server):
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            in_background(talk, connection)

    def talk(connection):
        with connection:
            try:
                connection.recv(4096)
                connection.sendall(b"+OK\r\n")
                connection.recv(4096)
                connection.sendall(reply)
                connection.recv(4096)
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        in_background(serve, server)
        port = server.getsockname()[1]
        nginx = bench.nginx(f"location /r {{ store_probe redis port={port} read=500; }}")
        answer = nginx.get("/r", "read", "k")
        if complaint is None:
            assert (answer.result, answer.text) == ("hit", "v")
            nginx.wait_for_log("nobody asked for")
        else:
            assert answer.result == "error" and complaint in answer.text, answer
        nginx.stop()
        server.shutdown(socket.SHUT_RDWR)


def test_a_greeting_that_never_comes(bench):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        nginx = bench.nginx(f"location /r {{ store_probe redis port={port} connect=400; }}")
        answer, took = timed(lambda: nginx.get("/r", "read", "k"))
        assert answer.result == "error" and 0.3 < took < 0.7, (answer, took)


def test_an_address_that_swallows_everything(bench):
    # A full backlog on loopback: the connection attempt itself hangs.
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        full = []
        for _ in range(3):
            each = socket.socket()
            each.setblocking(False)
            each.connect_ex(server.getsockname())
            full.append(each)
        port = server.getsockname()[1]
        nginx = bench.nginx(f"location /r {{ store_probe redis port={port} connect=400; }}")
        answer, took = timed(lambda: nginx.get("/r", "read", "k"))
        assert answer.result == "error" and 0.3 < took < 0.7, (answer, took)
        for each in full:
            each.close()


def test_a_server_that_does_not_read(bench):
    def serve(server):
        connection, _ = server.accept()
        connection.recv(64)
        connection.sendall(b"+OK\r\n")
        time.sleep(3)
        connection.close()

    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.bind(("127.0.0.1", 0))
        server.listen()
        in_background(serve, server)
        port = server.getsockname()[1]
        nginx = bench.nginx(
            f"location /r {{ store_probe redis port={port} send=400 read=2500 connections=1; }}"
        )
        begun = time.monotonic()
        waiting = [nginx.send("/r", "insert", f"k{i}", size=60_000) for i in range(120)]
        answers = [answer_of(each) for each in waiting]
        assert {each.result for each in answers} == {"error"}
        assert "did not read in time" in answers[0].text, answers[0]
        assert time.monotonic() - begun < 2
