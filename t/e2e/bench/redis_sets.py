"""Sets of Redis servers of t/stores for gateways: a master with Sentinels, a cluster."""

import re
import sys
from pathlib import Path

from .gateway import SESSION_SECRET, Site
from .proc import make_dir

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "stores"))
from sets import Cluster, Servers, Watched  # noqa: E402


class RedisSet:
    """`kind` is sentinel or cluster; `servers` and the rest are those of t/stores/sets.py."""

    def __init__(self, kind: str):
        self.kind = kind
        self._servers = Servers(make_dir(kind))
        self.set = (Watched(self._servers, replicas=1) if kind == "sentinel"
                    else Cluster(self._servers))
        self.servers = self.set.servers

    def end(self) -> None:
        for each in self.servers:
            each.wake()
        self._servers.end()

    def site(self, make_nginx, upstream, provider, **settings) -> Site:
        if self.kind == "sentinel":
            where = {"redis_sentinel_nodes": " ".join(each.place for each in self.set.sentinels),
                     "redis_sentinel_master": "mymaster"}
        else:
            where = {"redis_cluster_nodes": " ".join(f"127.0.0.1:{each.port}"
                                                     for each in self.servers)}
        return Site(make_nginx, upstream, provider, **{
            "session_storage": "redis", "session_secret": SESSION_SECRET,
            "redis_connect_timeout": "1s", "redis_read_timeout": "1s", "redis_send_timeout": "1s",
            "logout_uri_suffix": "/logout", **where, **settings})

    def masters(self) -> list:
        return [each for each in self.servers if each.process.poll() is None
                and each.info("replication")["role"] == "master"]

    def calls(self) -> dict[str, int]:
        """What all servers were asked."""
        return {"get": sum(gets(each) for each in self.servers if each.process.poll() is None)}

    def records(self) -> dict[str, object]:
        """The sessions, and the server of each."""
        return {name.decode(): each for each in self.masters() for name in each.call("KEYS", "*")
                if re.fullmatch(rb"session:[\w-]{43}", name)}


def gets(server) -> int:
    counted = server.info("commandstats").get("cmdstat_get", "calls=0,")
    return int(counted.split(",")[0].removeprefix("calls="))
