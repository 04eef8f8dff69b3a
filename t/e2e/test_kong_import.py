"""tools/kong-import: what it writes for the flows that Kong documents is run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench.client import Client
from bench.gateway import Site
from bench.login import login
from bench.proc import free_port
from bench.scripted_op import CLIENT_ID, CLIENT_SECRET

TOOLS = Path(__file__).resolve().parents[2] / "tools"
SAMPLES = Path(__file__).parent / "kong"
sys.path.insert(0, str(TOOLS))
from kong_import.declarative import translate  # noqa: E402
from kong_import.parameters import PARAMETERS  # noqa: E402


def run(text: str, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run([TOOLS / "kong-import", *options, "-"], input=text, capture_output=True,
                          text=True, timeout=30)


class Imported(Site):
    """A gateway whose servers are what the importer made of a sample."""

    def __init__(self, make_nginx, upstream, provider, sample: str, redis_port: int = 0):
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.upstream, self.provider = upstream, provider
        text = (SAMPLES / sample).read_text()
        for name, value in {
                "ISSUER": provider.issuer, "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET,
                "UPSTREAM": upstream.origin, "UPSTREAM_PORT": upstream.port,
                "REDIS_PORT": redis_port}.items():
            text = text.replace(f"@{name}@", str(value))
        done = run(text, "--listen", f"127.0.0.1:{self.port}", "--server-name", "127.0.0.1")
        self.notes = done.stderr
        assert done.returncode == (3 if done.stderr else 0), done.stderr
        self.nginx = make_nginx(done.stdout, self.port)


@pytest.fixture(scope="module")
def provider(op):
    return op.provider("kong")


@pytest.fixture(autouse=True)
def fresh(provider):
    yield
    provider.edit_claims = lambda claims: claims


def test_code_flow(make_nginx, upstream, provider, client):
    site = Imported(make_nginx, upstream, provider, "code-flow.yaml")
    assert site.notes == ""
    response = login(client, site.url("/a%2Fb?hello=world"))
    assert response.status == 303  # after form_post's POST
    assert response.location == site.url("/a%2Fb?hello=world")
    echo = site.echo(client, "/a%2Fb?hello=world")
    assert echo.bearer


def test_session_in_redis(make_nginx, upstream, provider, client, make_redis):
    redis = make_redis()
    site = Imported(make_nginx, upstream, provider, "session-redis.yaml", redis.port)
    assert site.notes == ""
    site.login(client, "/shop/cart")
    echo = site.echo(client, "/shop/cart")
    assert echo.bearer
    assert echo.header("session-id") and 0 < int(echo.header("session-timeout")) <= 600
    assert any(cookie.name == "shop" for cookie in client.cookies())
    assert redis.keys() and all(key.startswith("kong:") for key in redis.keys())


def test_headers(make_nginx, upstream, provider, client):
    site = Imported(make_nginx, upstream, provider, "headers.yaml")
    assert site.notes == ""
    provider.edit_claims = lambda claims: claims | {"address": {"country.code": "NL"}}
    site.login(client)
    echo = site.echo(client)
    assert echo.header("authorization") is None
    assert echo.header("x-access-token") and echo.header("x-id-token").count(".") == 2
    assert echo.header("x-user") == "alice" and echo.header("x-family") == "NL"
    response = client.navigate(site.url("/"))
    assert response.header("x-out") == "alice" and response.header("x-family-out") == "NL"
    assert response.header("x-session") and response.header("x-id-key")


def test_logout(make_nginx, upstream, provider, client):
    site = Imported(make_nginx, upstream, provider, "logout.yaml")
    assert site.notes == ""
    site.login(client)
    response = client.navigate(site.url("/somewhere/sign-out"))
    assert response.status in (302, 303), response
    assert response.location.startswith(provider.issuer) or \
        response.location == "https://www.example.com/bye"
    assert site.asks_for_login(client)


# ---- what has no equal ----------------------------------------------------------------------------

VALUES = {"n": 5, "b": True, "s": "text", "a": ["text"], "r": {"host": "x", "unheard_of": 1}}


COMPANIONS = ("_args_values", "token_headers_values", "stream_headers_names",
              "_proxy_authorization")


@pytest.mark.parametrize("kind", VALUES)
def test_each_parameter_is_translated_or_named(kind):
    """Also where the value is of a type that Kong would refuse: nothing is dropped silently."""
    companions = {"authorization_query_args_values": ["v"], "upstream_headers_names": ["v"],
                  "downstream_headers_names": ["v"], "auth_methods": ["introspection"],
                  "introspection_post_args_values": ["v"], "token_post_args_values": ["v"],
                  "token_headers_values": ["v"], "session_storage": "redis"}
    for name in PARAMETERS:
        if name.endswith(COMPANIONS):
            continue
        without = translate({key: value for key, value in companions.items() if key != name})
        done = translate(companions | {name: VALUES[kind]})
        written = [line for line in done.lines if line not in without.lines]
        named = any(note.startswith((f"{name}:", f"{name}.")) for note in done.unequal)
        assert written or named, (name, done)


def document(config: dict, **route) -> str:
    return json.dumps({"services": [{
        "name": "s", "url": "http://127.0.0.1:1/", "routes": [
            {"name": "r", "paths": ["/"], **route,
             "plugins": [{"name": "openid-connect", "config": config}]}]}]})


def test_unequal_is_named_and_is_the_status():
    done = run(document({"issuer": "https://id.example.com", "token_exchange": {"cache": {}},
                         "session_storage": "memcached", "no_such_thing": 1}))
    assert done.returncode == 3
    for word in ("token_exchange", "session_storage", "no_such_thing"):
        assert word in done.stderr and f"# - route r: {word}" in done.stdout


def test_other_plugins_and_matches_are_named():
    text = json.dumps({
        "consumers": [{"username": "u"}], "plugins": [{"name": "rate-limiting"}],
        "services": [{"name": "s", "host": "127.0.0.1", "routes": [
            {"name": "r", "methods": ["GET"], "headers": {"x": ["y"]}}]}]})
    done = run(text)
    assert done.returncode == 3
    for word in ("rate-limiting", "methods", "headers", "consumers"):
        assert f"`{word}`" in done.stdout, done.stdout
    assert "oidc" not in done.stdout.replace("openid", "")


def test_the_nearest_plugin_wins():
    text = json.dumps({
        "plugins": [{"name": "openid-connect", "config": {"issuer": "https://global.example.com"}}],
        "services": [{"name": "s", "host": "127.0.0.1", "plugins": [
            {"name": "openid-connect", "config": {"issuer": "https://service.example.com"}}],
            "routes": [
                {"name": "a", "paths": ["/a"]},
                {"name": "b", "paths": ["/b"], "plugins": [
                    {"name": "openid-connect", "config": {"issuer": "https://route.example.com"}}]},
                {"name": "c", "paths": ["/c"], "plugins": [
                    {"name": "openid-connect", "enabled": False, "config": {"issuer": "x"}}]}]}]})
    blocks = run(text).stdout.split("location ")
    assert "https://service.example.com" in blocks[1]
    assert "https://route.example.com" in blocks[2]
    assert "https://service.example.com" in blocks[3]


@pytest.mark.parametrize("text", ["", "[]", "services: 5", "{", "services: [\x00", "a: &a [*a]"])
def test_what_is_no_configuration(text):
    done = run(text)
    assert done.returncode == 1
    assert done.stderr.startswith("kong-import: -: ") and "Traceback" not in done.stderr
    assert done.stdout == ""


def test_hostile_words_stay_words(make_nginx):
    """A value cannot end its directive or its block."""
    evil = 'x"; } server { listen 1; # \\'
    done = run(document({"issuer": "https://id.example.com", "client_id": [evil],
                         "client_secret": [evil]}),
               "--listen", "127.0.0.1:1", "--server-name", "127.0.0.1")
    status, said = make_nginx().check(done.stdout)
    assert status == 0, said
    assert done.stdout.count("\nserver {") == 1
