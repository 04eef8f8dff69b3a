"""The bench's shared parts: one CA, upstream, Keycloak and browser per run, nginx per module."""

import os
from pathlib import Path

import pytest
from bench import canary
from bench.browser import Browser
from bench.ca import CertificateAuthority
from bench.client import Client
from bench.keycloak import Keycloak
from bench.nginx import Nginx, Settings
from bench.oidc_provider import OidcProvider
from bench.proc import make_dir
from bench.redis_server import RedisServer
from bench.scripted_op import ScriptedOp
from bench.upstream import Upstream


def pytest_addoption(parser):
    parser.addoption("--module", required=True, type=Path, help="the module's .so")
    parser.addoption("--nginx", required=True, type=Path, help="the nginx binary")


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
    """Started early, because it takes its time; use `keycloak`."""
    process = Keycloak(Path(os.environ["KEYCLOAK_HOME"]), certificate)
    yield process
    process.stop()


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
    yield make
    problems = []
    for nginx in started:
        nginx.stop()
        problems += [f"{nginx.dir}: {problem}" for problem in nginx.verdict()]
    assert not problems, "\n".join(problems)


@pytest.fixture
def client(ca):
    return Client(ca.client_context())


def pytest_collection_modifyitems(session, items):
    """Keycloak starts while the first tests run, and its own tests come last."""
    def late(item):
        return "keycloak" in getattr(item, "fixturenames", ())
    items.sort(key=late)


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"canaries planted: {canary.known()}")
