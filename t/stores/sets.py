"""Sets of Redis servers: a master with replicas and Sentinels, a cluster; and load on them."""

import socket
import subprocess
import threading
import time

from conftest import Redis, answer_of, free_port, path_of, wait_for


def call_at(port, *words, password=None, timeout=10):
    """One command by TCP."""
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        stream = connection.makefile("rwb")
        caller = Redis.__new__(Redis)
        if password:
            caller._send(stream, "AUTH", *password)
        return caller._send(stream, *words)


class Sentinel:
    """A redis-server in Sentinel mode."""

    def __init__(self, directory, master, *lines, quorum=2, name="mymaster"):
        directory.mkdir()
        self.port = free_port()
        config = [
            "bind 127.0.0.1", f"port {self.port}", f"dir {directory}", "protected-mode no",
            f"sentinel monitor {name} 127.0.0.1 {master.port} {quorum}",
            f"sentinel down-after-milliseconds {name} 500",
            f"sentinel failover-timeout {name} 3000",
            f"sentinel parallel-syncs {name} 2",
        ]  # fmt: skip
        self.config = directory / "sentinel.conf"
        self.config.write_text("\n".join(config + list(lines)) + "\n")
        self.process = subprocess.Popen(
            ["redis-server", str(self.config), "--sentinel"],
            stdout=open(directory / "log", "wb"),
        )

    @property
    def place(self):
        return f"127.0.0.1:{self.port}"

    def call(self, *words, **more):
        return call_at(self.port, *words, **more)

    def knows(self, replicas, sentinels, **more):
        try:
            found = self.call("SENTINEL", "MASTERS", **more)[0]
        except (OSError, IndexError, TypeError):
            return False
        state = dict(zip(found[::2], found[1::2]))
        return (state[b"num-slaves"] == b"%d" % replicas
                and state[b"num-other-sentinels"] == b"%d" % (sentinels - 1)
                and state[b"flags"] == b"master")

    def master_port(self, **more):
        return int(self.call("SENTINEL", "get-master-addr-by-name", "mymaster", **more)[1])

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


class Watched:
    """A master, replicas, and Sentinels that watch them."""

    def __init__(self, bench, replicas=2, sentinels=3, lines=(), user=None):
        self.user = {"password": user} if user else {}
        fast = ["repl-diskless-sync-delay 0", "repl-ping-replica-period 1"]
        self.master = bench.redis(*fast)
        self.servers = [self.master]
        for _ in range(replicas):
            self.servers.append(bench.redis(*fast, f"replicaof 127.0.0.1 {self.master.port}"))
        wait_for("replicas", lambda: self.master.info("replication").get("connected_slaves")
                 == str(replicas) and self.synced())
        self.sentinels = []
        for i in range(sentinels):
            self.sentinels.append(Sentinel(bench.directory / f"sentinel{i}", self.master, *lines,
                                           quorum=sentinels // 2 + 1))
            bench.also.append(self.sentinels[-1])
        for each in self.sentinels:
            wait_for("Sentinels know each other",
                     lambda each=each: each.knows(replicas, sentinels, **self.user), 20)

    def synced(self):
        return all(each.info("replication").get("master_link_status") == "up"
                   for each in self.servers[1:])

    def current(self):
        """The server that the Sentinels call the master."""
        port = self.sentinels[-1].master_port(**self.user)
        return next(each for each in self.servers if each.port == port)

    def arguments(self, **words):
        words = {"sentinels": ",".join(each.place for each in self.sentinels),
                 "master": "mymaster", **words}
        return " ".join(f"{name}={value}" for name, value in words.items())


class Cluster:
    """Three masters and three replicas."""

    def __init__(self, bench, masters=3, replicas=1):
        count = masters * (1 + replicas)
        self.replicas = replicas
        self.servers = [
            bench.redis("cluster-enabled yes", "cluster-node-timeout 1000",
                        f"cluster-port {free_port()}", "repl-diskless-sync-delay 0",
                        "cluster-replica-validity-factor 0", "repl-ping-replica-period 1")
            for _ in range(count)
        ]  # fmt: skip
        self.by_id = {each.call("CLUSTER", "MYID"): each for each in self.servers}
        first = self.servers[0]
        for i, each in enumerate(self.servers):
            each.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
            if each is not first:
                bus = each.call("CONFIG", "GET", "cluster-port")[1]
                first.call("CLUSTER", "MEET", "127.0.0.1", each.port, bus)
        wait_for("nodes know each other", lambda: all(
            len(each.call("CLUSTER", "NODES").splitlines()) == count for each in self.servers), 20)
        share = 16384 // masters
        for i, each in enumerate(self.servers[:masters]):
            last = 16383 if i == masters - 1 else (i + 1) * share - 1
            assert each.call("CLUSTER", "ADDSLOTSRANGE", i * share, last) == b"OK"
        for i, each in enumerate(self.servers[masters:]):
            of = self.servers[i % masters].call("CLUSTER", "MYID")
            wait_for("replica", lambda each=each, of=of:
                     each.call("CLUSTER", "REPLICATE", of) == b"OK")
        wait_for("the cluster is up", self.is_up, 20)

    def is_up(self):
        def up(each):
            state = each.call("CLUSTER", "INFO").decode()
            replication = each.info("replication")
            return ("cluster_state:ok" in state
                    and replication.get("master_link_status", "up") == "up"
                    and replication.get("connected_slaves", "0") == (
                        str(self.replicas) if replication["role"] == "master" else "0"))
        return all(up(each) for each in self.servers)

    def owner(self, slot):
        for first, last, master, *_ in self.servers[-1].call("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return self.by_id[master[2]]
        return None

    def slot_of(self, key):
        return self.servers[0].call("CLUSTER", "KEYSLOT", key)

    def arguments(self, nodes=None, **words):
        nodes = nodes or [f"127.0.0.1:{each.port}" for each in self.servers[:2]]
        words = {"cluster": ",".join(nodes), **words}
        return " ".join(f"{name}={value}" for name, value in words.items())


class Load(threading.Thread):
    """Sessions and ledger entries that are written and read all the time, each by one thread. What
    was answered is compared with what was written: errors are counted, wrong answers kept. An older
    value of the key means that an acknowledged write was lost, which replication without
    acknowledgement cannot exclude for what was written in the last moment."""

    def __init__(self, nginx, name, sessions):
        super().__init__()
        self.nginx, self.name, self.sessions = nginx, name, sessions
        self.wrong, self.errors, self.count = [], [], 0
        self.ended, self.crashed = threading.Event(), None
        self.good = 0  # right answers in a row
        self.written, self.doubtful, self.older, self.lost = {}, {}, {}, []
        self.start()

    def call(self, op, key, **words):
        connection = self.nginx.connect()
        try:
            connection.request("GET", path_of("/r", op, key, **words))
            answer = answer_of(connection)
        finally:
            connection.close()
        self.count += 1
        if answer.result == "error":
            self.errors.append((time.monotonic(), answer.text))
            self.good = 0
        else:
            self.good += 1
        return answer

    def check_read(self, op, key):
        answer = self.call(op, key)
        if answer.result == "error":
            return
        allowed = {self.written[key], *self.doubtful.get(key, ())}
        if answer.result == "hit" and answer.text in self.older.get(key, ()):
            self.was_lost(key, answer.text)
        elif answer.result == "miss" or answer.text not in allowed:
            self.wrong.append((op, key, answer, allowed))

    def done(self, key, value):
        if key in self.written:
            self.older.setdefault(key, set()).add(self.written[key])
        self.older.setdefault(key, set()).discard(value)
        self.written[key] = value
        self.doubtful.pop(key, None)

    def was_lost(self, key, found):
        self.lost.append((key, found, self.written[key]))
        self.older[key].discard(found)
        self.written[key] = found

    def write(self, op, key, value):
        answer = self.call(op, key, value=value)
        if answer.result == "hit":
            self.done(key, value)
        elif answer.result == "error":  # it may have been done, then or later
            self.doubtful.setdefault(key, []).append(value)
        else:
            self.wrong.append((op, key, answer, None))

    def replace(self, key, value):
        """Compare and set: a miss is right where an earlier one whose answer failed was done, or
        where the write before was lost."""
        before = self.written[key]
        answer = self.call("replace", key, generation=before[:8], value=value)
        if answer.result == "hit":
            self.done(key, value)
        elif answer.result == "error":
            self.doubtful.setdefault(key, []).append(value)
        else:  # what is there says why
            found = self.call("read", key)
            if found.result == "hit" and found.text in self.doubtful.get(key, ()):
                self.done(key, found.text)
            elif found.result == "hit" and found.text in self.older.get(key, ()):
                self.was_lost(key, found.text)
            elif found.result != "error":
                self.wrong.append(("replace", key, found, before))

    def run(self):
        try:
            self.work()
        except Exception as reason:  # end() says so
            self.crashed = reason

    def work(self):
        keys = [f"{self.name}{i}" for i in range(self.sessions)]
        round_ = 0
        for key in keys:
            self.write("insert", key, f"{round_:08} {key}")
            self.write("ledger_write", "ledger:" + key, f"{round_:08}")
        assert not self.errors and not self.wrong, (self.errors, self.wrong)
        while not self.ended.is_set():
            round_ += 1
            for i, key in enumerate(keys):
                self.check_read("read", key)
                if i % 3 == round_ % 3:
                    self.replace(key, f"{round_:08} {key}")
                    self.check_read("read", key)
                    self.write("ledger_write", "ledger:" + key, f"{round_:08}")
                self.check_read("ledger_read", "ledger:" + key)
                if self.ended.is_set():
                    return

    def end(self):
        self.ended.set()
        self.join(60)
        assert not self.is_alive() and self.crashed is None, self.crashed
        return self


def loaded(nginx, threads=3, sessions=20):
    """Load that is running well."""
    all_ = [Load(nginx, f"t{i}", sessions) for i in range(threads)]
    for each in all_:
        wait_for("load", lambda each=each: each.count > 4 * sessions, 30)
    return all_


def judge(loads, began=0.0, may_lose=0):
    """Ends the load: no wrong answer, no acknowledged write lost but that many."""
    for each in loads:
        each.end()
    wrong = [one for each in loads for one in each.wrong]
    assert not wrong, wrong[:3]
    lost = [one for each in loads for one in each.lost]
    assert len(lost) <= may_lose, lost[:may_lose + 3]
    errors = sum(len(each.errors) for each in loads)
    last = max((each.errors[-1][0] for each in loads if each.errors), default=began)
    return (f"the last error after {last - began:.2f} s; {errors} errors of "
            f"{sum(each.count for each in loads)} requests, {len(lost)} acknowledged writes lost",
            errors)


def recovered(loads, seconds=30):
    """Waits until each thread has had right answers alone for all of its keys."""
    def well(each):
        assert each.crashed is None, each.crashed
        return each.good > 4 * each.sessions
    wait_for("recovery", lambda: all(well(each) for each in loads), seconds)
