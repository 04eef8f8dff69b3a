"""Sets of Redis servers: a master with replicas and Sentinels, a cluster; also for t/e2e."""

import socket
import subprocess
import time

from redis_process import Redis, free_port, wait_for


def call_at(port, *words, password=None, timeout=10):
    """One command by TCP."""
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        stream = connection.makefile("rwb")
        caller = Redis.__new__(Redis)
        if password:
            caller._send(stream, "AUTH", *password)
        return caller._send(stream, *words)


class Servers:
    """What makes servers where there is no Bench."""

    def __init__(self, directory):
        self.directory, self.also = directory, []

    def redis(self, *lines):
        self.also.append(Redis(self.directory / f"redis{len(self.also)}", *lines))
        return self.also[-1]

    def end(self):
        for server in self.also:
            server.kill()


def have_followed(master, replicas):
    """What was acknowledged so far is at the replicas: the stream to one begins a while after the
    replica says that it is in sync."""
    offset = int(master.info("replication")["master_repl_offset"])
    wait_for("replicas follow", lambda: all(
        int(each.info("replication").get("slave_repl_offset", 0)) >= offset for each in replicas), 30)


class Sentinel:
    """A redis-server in Sentinel mode."""

    def __init__(self, directory, master, *lines, quorum=2, name="mymaster", host="127.0.0.1"):
        directory.mkdir()
        self.port = free_port()
        # Less, and on a busy machine the Sentinels choose again and again, which loses writes.
        config = [
            "bind 127.0.0.1 ::1", f"port {self.port}", f"dir {directory}", "protected-mode no",
            f"sentinel monitor {name} {host} {master.port} {quorum}",
            f"sentinel down-after-milliseconds {name} 1500",
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
    """Three masters and three replicas, by the addresses of `host`."""

    def __init__(self, bench, masters=3, replicas=1, host="127.0.0.1"):
        count = masters * (1 + replicas)
        self.replicas = replicas
        self.servers = [
            bench.redis("bind 127.0.0.1 ::1", "cluster-enabled yes", "cluster-node-timeout 1000",
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
                first.call("CLUSTER", "MEET", host, each.port, bus)
        wait_for("nodes know each other", lambda: all(
            len(each.call("CLUSTER", "NODES").splitlines()) == count for each in self.servers), 60)
        share = 16384 // masters
        for i, each in enumerate(self.servers[:masters]):
            last = 16383 if i == masters - 1 else (i + 1) * share - 1
            assert each.call("CLUSTER", "ADDSLOTSRANGE", i * share, last) == b"OK"
        for i, each in enumerate(self.servers[masters:]):
            of = self.servers[i % masters].call("CLUSTER", "MYID")
            wait_for("replica", lambda each=each, of=of:
                     each.call("CLUSTER", "REPLICATE", of) == b"OK")
        wait_for("the cluster is up", self.is_up, 60)

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

    def begin_move(self, slot, source, target):
        ids = {each: each.call("CLUSTER", "MYID") for each in (source, target)}
        assert target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source]) == b"OK"
        assert source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target]) == b"OK"
        while keys := source.call("CLUSTER", "GETKEYSINSLOT", slot, 1):
            source.call("MIGRATE", "127.0.0.1", target.port, keys[0], 0, 5000)
            time.sleep(0.05)

    def end_move(self, slot, source, target):
        to = target.call("CLUSTER", "MYID")
        for each in (target, source):
            assert each.call("CLUSTER", "SETSLOT", slot, "NODE", to) == b"OK"

    def move_slot(self, slot, source, target):
        """As redis-cli does it, one key at a time: MOVED and ASK on the way."""
        self.begin_move(slot, source, target)
        time.sleep(0.05)
        self.end_move(slot, source, target)

    def slot_of(self, key):
        return self.servers[0].call("CLUSTER", "KEYSLOT", key)

    def arguments(self, nodes=None, **words):
        nodes = nodes or [f"127.0.0.1:{each.port}" for each in self.servers[:2]]
        words = {"cluster": ",".join(nodes), **words}
        return " ".join(f"{name}={value}" for name, value in words.items())
