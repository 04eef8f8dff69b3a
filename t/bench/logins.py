"""What the callback of a login costs the gateway."""

from bench.client import Client
from bench.login import at_provider, begin, deliver
from measure import cpu_seconds
from paths import PATHS

UNCOUNTED = {"info", "command", "ping", "client|list"}


def login_cost(bench, count: int) -> tuple[float, float]:
    """From the callback to its redirect: CPU seconds of the gateway, commands that Redis executed."""
    path = next(path for path in PATHS if path.name == "session in Redis")
    url, worker = bench.origin(path) + path.place, bench.worker(path)
    used, before = 0.0, _commands(bench)
    for _ in range(count):
        client = Client()
        delivery = at_provider(begin(client, url), bench.origin(path))
        start = cpu_seconds(worker)
        response = deliver(client, delivery)
        used += cpu_seconds(worker) - start
        assert response.status in (302, 303), response
    return used / count, (_commands(bench) - before) / count


def _commands(bench) -> int:
    return sum(n for name, n in bench.redis.calls().items() if name not in UNCOUNTED)
