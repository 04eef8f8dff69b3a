"""The bench's shared parts: one CA, upstream, Keycloak and browser per run, nginx per module."""

import os
import shutil
from pathlib import Path

import pytest
from bench import canary
from bench.browser import Browser
from bench.ca import CertificateAuthority
from bench.client import Client
from bench.keycloak import Keycloak
from bench.nginx import Nginx, Settings
from bench.oidc_provider import OidcProvider
from bench.proc import make_dir, root_dir
from bench.redis_server import RedisServer
from bench.scripted_op import ScriptedOp
from bench.upstream import Upstream


def pytest_addoption(parser):
    parser.addoption("--module", required=True, type=Path, help="the module's .so")
    parser.addoption("--nginx", required=True, type=Path, help="the nginx binary")
    parser.addoption("--share", default="1/1", metavar="K/N",
                     help="only every Nth file, from the Kth on: N runs share the work")
    parser.addoption("--keep", action="store_true", help="keep logs and pictures of a good run too")


@pytest.fixture(scope="session")
def settings(request):
    return Settings(request.config.getoption("--module"), request.config.getoption("--nginx"))


@pytest.fixture(scope="session")
def ca():
    return CertificateAuthority(make_dir("ca"))


@pytest.fixture(scope="session")
def certificate(ca):
    return ca.issue("server")


@pytest.fixture(scope="session")
def keycloak_process(certificate):
    """Still starting; use `keycloak`."""
    process = Keycloak(Path(os.environ["KEYCLOAK_HOME"]), certificate)
    yield process
    process.stop()


@pytest.fixture(scope="session", autouse=True)
def keycloak_starts_early(request):
    """It takes its time: it does so while the tests without it run."""
    if any("keycloak" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("keycloak_process")


@pytest.fixture(scope="session")
def keycloak(keycloak_process):
    return keycloak_process.wait()


@pytest.fixture(scope="session")
def browser(certificate):
    chromium = Browser(trusted=[certificate])
    yield chromium
    chromium.close()


@pytest.fixture(scope="module")
def upstream():
    server = Upstream()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def op():
    server = ScriptedOp()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def https_op(certificate):
    server = ScriptedOp(certificate=certificate)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def make_redis(ca):
    servers = []

    def make(**options) -> RedisServer:
        servers.append(RedisServer(ca=ca, **options))
        return servers[-1]
    yield make
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def make_oidc_provider(certificate):
    servers = []

    def make(gateway: str, **options) -> OidcProvider:
        servers.append(OidcProvider(certificate, gateway, **options))
        return servers[-1]
    yield make
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def make_nginx(settings, request):
    """`make_nginx(http, port, **options)`. At the end their logs are judged."""
    started = []

    def make(http: str | None = None, port: int = 0, **options) -> Nginx:
        nginx = Nginx(settings, request.module.__name__)
        started.append(nginx)
        return nginx.start(http, port, **options) if http is not None else nginx
    make.started = started
    yield make
    problems = []
    for nginx in started:
        nginx.stop()
        problems += [f"{nginx.dir}: {problem}" for problem in nginx.verdict()]
    assert not problems, "\n".join(problems)


@pytest.fixture
def client(ca):
    return Client(ca.client_context())


def pytest_collection_modifyitems(config, items):
    """Keycloak's own tests come last."""
    def late(item):
        return "keycloak" in getattr(item, "fixturenames", ())
    number, count = map(int, config.getoption("--share").split("/"))
    files = sorted({item.path for item in items})
    others = [item for item in items if files.index(item.path) % count != number - 1]
    items[:] = sorted((item for item in items if item not in others), key=late)
    if others:
        config.hook.pytest_deselected(items=others)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """What nginx said last, beside what failed: files may be gone when somebody looks."""
    report = yield
    make = getattr(item, "funcargs", {}).get("make_nginx")
    if report.failed and make is not None:
        for nginx in make.started:
            if nginx.error_log.exists():
                lines = nginx.error_log.read_text(errors="replace").splitlines()[-40:]
                report.sections.append((str(nginx.error_log), "\n".join(lines)))
    return report


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    hostile = [r for r in terminalreporter.stats.get("passed", []) if "test_hostile" in r.nodeid]
    terminalreporter.write_line(f"hostile cases passed: {len(hostile)}")
    terminalreporter.write_line(f"canaries planted and looked for in every log: {canary.known()}")
    if exitstatus == 0 and not config.getoption("--keep"):
        shutil.rmtree(root_dir(), ignore_errors=True)
    else:
        terminalreporter.write_line(f"configurations, logs and pictures: {root_dir()}")
