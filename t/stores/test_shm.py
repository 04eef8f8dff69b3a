"""The session store and the dictionary in shared memory."""

import os
import random
import re
import signal
import subprocess
import threading
import time

import pytest
from conftest import answer_of, filler, path_of, wait_for

ZONES = "store_probe_zone s {} sessions; store_probe_zone d {} shared;"
LOCATIONS = "location /s { store_probe sessions s; } location /d { store_probe shared d; }"


def start(bench, sessions="1m", shared="1m", **more):
    return bench.nginx(LOCATIONS, zones=ZONES.format(sessions, shared), **more)


def stats(nginx, location):
    return {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", nginx.get(location, "stats").text)}


def test_sessions_come_and_go(bench):
    nginx = start(bench)
    for op in ("read", "read_now"):
        assert nginx.get("/s", op, "k").result == "miss"
    assert nginx.get("/s", "touch", "k").result == "miss"
    assert nginx.get("/s", "erase", "k").result == "hit"
    binary = bytes(range(256)) * 3
    assert nginx.get("/s", "insert", "k", value=binary).result == "hit"
    for op in ("read", "read_now"):
        answer = nginx.get("/s", op, "k")
        assert (answer.result, answer.body) == ("hit", binary)
    assert nginx.get("/s", "read", "kk").result == "miss"
    assert nginx.get("/s", "erase", "k").result == "hit"
    assert nginx.get("/s", "read", "k").result == "miss"


@pytest.mark.parametrize("size", [0, 1, 404, 405, 406, 4096, 65536])
def test_sizes(bench, size):
    nginx = start(bench)
    assert nginx.get("/s", "insert", "k", size=size).result == "hit"
    assert nginx.get("/s", "read", "k").body == filler(size)


def test_a_record_larger_than_allowed_is_refused(bench):
    nginx = start(bench)
    assert nginx.get("/s", "insert", "k", value="old").result == "hit"
    answer = nginx.get("/s", "insert", "k", size=65537)
    assert (answer.result, answer.text) == ("error", "the record is longer than allowed")
    assert nginx.get("/s", "read", "k").text == "old"


def test_replace_compares_the_generation(bench):
    nginx = start(bench)
    replace = lambda **words: nginx.get("/s", "replace", "k", **words).result  # noqa: E731
    assert replace(generation="gen-0001", value="gen-0002") == "miss"
    assert nginx.get("/s", "read", "k").result == "miss"
    nginx.get("/s", "insert", "k", value="gen-0001 one")
    assert replace(generation="gen-0002", value="gen-0002 two") == "miss"
    assert replace(generation="gen-0001", value="gen-0002 two") == "hit"
    assert replace(generation="gen-0001", value="gen-0003") == "miss"
    assert nginx.get("/s", "read", "k").text == "gen-0002 two"
    assert replace(generation="", value="gen-0003") == "error"
    assert replace(generation="gen-0002 two", value="gen-0003") == "error"
    nginx.get("/s", "erase", "k")
    assert replace(generation="gen-0002", value="gen-0003") == "miss"


def test_time_to_live(bench):
    nginx = start(bench)
    nginx.get("/s", "insert", "short", value="v", ttl=300)
    nginx.get("/s", "insert", "touched", value="v", ttl=300)
    nginx.get("/s", "insert", "replaced", value="gen-0001", ttl=300)
    assert nginx.get("/s", "touch", "touched", ttl=1_000).result == "hit"
    nginx.get("/s", "replace", "replaced", generation="gen-0001", value="gen-0002", ttl=60_000)
    time.sleep(0.35)
    assert nginx.get("/s", "read", "short").result == "miss"
    assert nginx.get("/s", "touch", "short").result == "miss"
    assert nginx.get("/s", "read", "touched").result == "hit"
    # A compare-and-set makes no life longer, nor does a touch of one that is about to end.
    assert nginx.get("/s", "read", "replaced").result == "miss"
    nginx.get("/s", "insert", "retired", value="v", ttl=60_000)
    assert nginx.get("/s", "touch", "retired", ttl=300).result == "hit"
    assert nginx.get("/s", "touch", "retired", ttl=60_000).result == "miss"
    time.sleep(0.35)
    assert nginx.get("/s", "read", "retired").result == "miss"


def test_the_dictionary(bench):
    nginx = start(bench)
    assert nginx.get("/d", "get", "k").result == "miss"
    assert nginx.get("/d", "put", "k", value="one").result == "hit"
    assert nginx.get("/d", "put_if_absent", "k", value="two").result == "miss"
    assert nginx.get("/d", "get", "k").text == "one"
    nginx.get("/d", "erase_if_equal", "k", value="two")
    assert nginx.get("/d", "get", "k").text == "one"
    nginx.get("/d", "erase_if_equal", "k", value="one")
    assert nginx.get("/d", "get", "k").result == "miss"
    assert nginx.get("/d", "put_if_absent", "k", value="two", ttl=200).result == "hit"
    assert nginx.get("/d", "put_if_absent", "k", value="three").result == "miss"
    time.sleep(0.25)
    assert nginx.get("/d", "put_if_absent", "k", value="three").result == "hit"
    large = filler(300_000)  # larger than the worker's buffer was
    assert nginx.get("/d", "put", "large", size=300_000).result == "hit"
    assert nginx.get("/d", "get", "large").body == large


def test_a_full_dictionary_forgets_nothing(bench):
    nginx = start(bench, shared="64k")
    connection = nginx.connect()

    def put(name, **words):
        connection.request("GET", path_of("/d", "put_if_absent", name, value="1", **words))
        response = connection.getresponse()
        response.read()
        return response.getheader("X-Result") == "hit"

    count = 0
    while put(f"state-{count:040}"):
        count += 1
        assert count < 2000
    assert count > 100
    assert not put("another")
    for i in range(count):  # not one of them may be used again
        assert not put(f"state-{i:040}")
    assert nginx.get("/d", "put", "another", value="1").result == "miss"
    errors = [line for line in nginx.log().splitlines() if "is full" in line]
    assert len(errors) == 1 and "[error]" in errors[0]


def test_what_expired_makes_room_in_the_dictionary(bench):
    nginx = start(bench, shared="64k")
    connection = nginx.connect()
    count = 0
    while True:
        path = path_of("/d", "put_if_absent", f"state-{count}", value="1", ttl=2500)
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        if response.getheader("X-Result") == "miss":
            break
        count += 1
    time.sleep(2.6)
    assert all(
        nginx.get("/d", "put_if_absent", f"new-{i}", value="1").result == "hit" for i in range(20)
    )


def in_parallel(count, body):
    failures = []

    def run(number):
        try:
            body(number)
        except Exception as error:  # noqa: BLE001
            failures.append(repr(error))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def test_compare_and_set_between_workers(bench):
    nginx = start(bench, workers=4)
    nginx.get("/s", "insert", "counter", value=f"{0:08}")
    won = [0] * 8

    def count(number):
        connection = nginx.connect()

        def call(op, **words):
            connection.request("GET", path_of("/s", op, "counter", **words))
            response = connection.getresponse()
            return response.getheader("X-Result"), response.read()

        for _ in range(300):
            result, value = call("read_now")
            assert result == "hit"
            following = f"{int(value[:8]) + 1:08}"
            result, _ = call("replace", generation=value[:8], value=following, size=2000)
            assert result in ("hit", "miss")
            won[number] += result == "hit"

    in_parallel(8, count)
    assert int(nginx.get("/s", "read", "counter").body[:8]) == sum(won)
    assert sum(won) >= 300


def test_storm_of_inserts_and_erases_between_workers(bench):
    nginx = start(bench, sessions="256k", workers=4)

    def storm(number):
        connection = nginx.connect()
        dice = random.Random(number)
        for _ in range(400):
            key = f"k{dice.randrange(100)}"
            op = dice.choice(["insert", "insert", "read_now", "read_now", "touch", "erase"])
            words = {"size": dice.randrange(6000), "value": key + ":"} if op == "insert" else {}
            connection.request("GET", path_of("/s", op, key, **words))
            response = connection.getresponse()
            body = response.read()
            assert response.status == 200
            result = response.getheader("X-Result")
            assert result in ("hit", "miss"), (op, body)
            if op == "read_now" and result == "hit":
                name, _, rest = body.partition(b":")
                assert name == key.encode() and rest == filler(len(rest))

    in_parallel(8, storm)
    for i in range(100):
        nginx.get("/s", "erase", f"k{i}")
    after = stats(nginx, "/s")
    assert (after["entries"], after["free"], after["resets"]) == (0, after["blocks"], 0)


def test_one_of_many_puts_if_absent(bench):
    nginx = start(bench, workers=4)
    won = []

    def take(number):
        connection = nginx.connect()
        for i in range(200):
            path = path_of("/d", "put_if_absent", f"lease{i}", value=str(number))
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            if response.getheader("X-Result") == "hit":
                won.append(i)

    in_parallel(6, take)
    assert sorted(won) == list(range(200))


def test_sessions_outlive_a_reload(bench):
    nginx = start(bench, workers=2)
    nginx.get("/s", "insert", "k", value="kept")
    nginx.get("/d", "put", "k", value="kept too")
    for _ in range(3):
        nginx.reload()
        assert nginx.get("/s", "read", "k").text == "kept"
        assert nginx.get("/d", "get", "k").text == "kept too"
    assert "starts empty" not in nginx.log()


def test_old_and_new_workers_share(bench):
    nginx = start(bench)
    held = nginx.connect()
    held.request("GET", "/plain")
    held.getresponse().read()
    (old,) = nginx.workers()
    slow = nginx.connect()
    slow.connect()
    slow.sock.sendall(b"GET /s?op=read&key=k HTTP/1.1\r\nHost: x\r\n")  # keeps the worker busy
    nginx.kill(signal.SIGHUP)
    wait_for("new worker", lambda: len(nginx.workers()) == 2)
    wait_for("the new one answers", lambda: nginx.get("/s", "insert", "k", value="new").result)
    slow.sock.sendall(b"\r\n")
    response = b""
    while b"new" not in response:
        piece = slow.sock.recv(4096)
        assert piece, response
        response += piece
    slow.close()
    wait_for("old worker is gone", lambda: old not in nginx.workers())


def test_another_size_starts_afresh_and_says_so(bench):
    nginx = start(bench)
    nginx.get("/s", "insert", "k", value="lost")
    nginx.get("/d", "put", "k", value="kept")
    nginx.configure(LOCATIONS, zones=ZONES.format("2m", "1m"))
    nginx.reload()
    assert nginx.get("/s", "read", "k").result == "miss"
    assert nginx.get("/d", "get", "k").text == "kept"
    (line,) = [line for line in nginx.log().splitlines() if "starts empty" in line]
    assert "[warn]" in line and "from 1048576 to 2097152 bytes" in line and "log in again" in line


def test_the_capacity_is_in_the_log(bench):
    nginx = start(bench, sessions="16m")
    (line,) = [line for line in nginx.log().splitlines() if 'zone "s"' in line]
    room = int(re.search(r"room for about (\d+) sessions", line)[1])
    assert "[notice]" in line and 4000 < room < 5500, line


def test_a_worker_that_is_killed_takes_no_lock_along(bench):
    bench.allowed = r"exited on signal 9|damaged, or a worker died|zone \"s\" was locked by"
    nginx = start(bench, workers=2)
    stop = threading.Event()

    def storm(number):
        while not stop.is_set():
            connection = nginx.connect()
            try:
                for i in range(50):
                    connection.request("GET", path_of("/s", "insert", f"k{i}", size=9000, loop=20))
                    connection.getresponse().read()
            except OSError:
                pass

    threads = [threading.Thread(target=storm, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(8):
        time.sleep(0.3)
        victim = next(iter(nginx.workers()))
        before = nginx.workers()
        os.kill(victim, signal.SIGKILL)
        wait_for("a new worker", lambda: len(nginx.workers() - {victim}) == len(before), 10)
    stop.set()
    for thread in threads:
        thread.join()
    assert nginx.get("/s", "insert", "after", value="v").result == "hit"
    assert nginx.get("/s", "read", "after").text == "v"


@pytest.mark.parametrize(
    ("zones", "complaint"),
    [
        ("store_probe_zone s 31k sessions;", "too small"),
        ("store_probe_zone s 1m sessions; store_probe_zone s 1m sessions;", "declared twice"),
        ("store_probe_zone s 1m sessions; store_probe_zone s 1m shared;", "different use"),
    ],
)
def test_impossible_zones(bench, zones, complaint):
    nginx = start(bench)
    nginx.configure("", zones=zones)
    check = subprocess.run([*nginx.command, "-t"], capture_output=True, env=nginx.environment)
    assert check.returncode == 1 and complaint in check.stderr.decode(), check.stderr


def test_hot_reads_are_fast(bench):
    """No promise, a smoke detector: a read of 3 kB is around a microsecond."""
    nginx = start(bench)
    nginx.get("/s", "insert", "k", size=3000)
    started = time.monotonic()
    loop = 200_000
    assert answer_of(nginx.send("/s", "read_now", "k", loop=loop)).result == "hit"
    each = (time.monotonic() - started) / loop
    print(f"read_now: {each * 1e9:.0f} ns")
    assert each < 50e-6
