"""A second, independent provider: the certified npm oidc-provider, over https with the test CA."""

import time
from urllib.parse import unquote, urljoin

import pytest
from bench.client import FORM, NAVIGATION, Client
from bench.forms import forms
from bench.jose import claims_of
from bench.login import at_provider, begin, deliver, walk
from bench.nginx import directives, location, server
from bench.oidc_provider import CLIENT_ID, CLIENT_SECRET
from bench.proc import free_port, wait_for
from bench.upstream import Echo

SAME = [h for h in NAVIGATION if h[0] != "Sec-Fetch-Site"] + [("Sec-Fetch-Site", "same-origin")]


class Gateway:
    def __init__(self, make_nginx, upstream, make_oidc_provider, ca, certificate, settings="",
                 **options):
        port = free_port()
        self.origin, self.context = f"https://localhost:{port}", ca.client_context()
        self.provider = make_oidc_provider(self.origin, **options)
        protect = "oidc on;\n" + settings + directives(
            issuer=self.provider.issuer, client_id=f'"{CLIENT_ID}"',
            client_secret=f'"{CLIENT_SECRET}"', ssl_trusted_certificate=ca.path,
            scopes="openid profile email offline_access",
            upstream_header=["X-Name name percent", "X-Groups groups"],
            upstream_id_token_header="X-Id-Token", logout_uri_suffix="/logout",
            logout_redirect_uri=f"{self.origin}/bye")
        body = location("/", protect + f"proxy_pass {upstream.origin};")
        body += location("= /bye", "return 200 bye;")
        self.nginx = make_nginx(server(port, body, certificate=certificate), port)

    def client(self):
        return Client(self.context)

    def login(self, client, path="/x?a=%2F&a="):
        authorize = begin(client, self.origin + path)
        response = deliver(client, at_provider(authorize, self.origin, self.context))
        assert response.status in (302, 303), (response, self.provider.log()[-1500:])
        assert response.location.removeprefix(self.origin) == path

    def echo(self, client, path="/x"):
        response = client.navigate(self.origin + path)
        assert response.status == 200, response
        return Echo(response.body)


@pytest.fixture(scope="module")
def gateway(make_nginx, upstream, make_oidc_provider, ca, certificate):
    return Gateway(make_nginx, upstream, make_oidc_provider, ca, certificate,
                   access_token_life=5)


@pytest.mark.parametrize("auth", ["client_secret_basic", "client_secret_post"])
@pytest.mark.parametrize("mode", ["query", "form_post"])
@pytest.mark.parametrize("alg", ["RS256", "PS256", "EdDSA"])
def test_login(make_nginx, upstream, make_oidc_provider, ca, certificate, auth, mode, alg):
    """The id and secret hold + / % = & and blanks: RFC 6749 2.3.1's form-encoding shows."""
    gateway = Gateway(make_nginx, upstream, make_oidc_provider, ca, certificate,
                      directives(response_mode=mode, client_auth=auth), auth=auth, alg=alg)
    client = gateway.client()
    gateway.login(client)
    echo = gateway.echo(client)
    assert claims_of(echo.header("X-Id-Token"))["sub"] == "zoe"
    assert unquote(echo.header("X-Name")) == "Zoë Müller"
    assert "staff" in echo.header("X-Groups") and "admins" in echo.header("X-Groups")


def test_opaque_access_token_and_rotation(gateway):
    client = gateway.client()
    gateway.login(client)
    tokens = {gateway.echo(client).bearer}
    for _ in range(2):
        time.sleep(5.3)
        tokens.add(gateway.echo(client).bearer)
    assert len(tokens) == 3 and "." not in next(iter(tokens))
    assert "grant.error" not in gateway.provider.log()


def test_logout_at_the_provider(gateway):
    client = gateway.client()
    gateway.login(client)
    response = client.request("POST", gateway.origin + "/logout", SAME, b"")
    assert response.location.startswith(gateway.provider.issuer + "/session/end?"), response
    back = at_provider(response.location, gateway.origin, gateway.context)
    arrived = client.navigate(back.url)
    if arrived.status in (302, 303):
        arrived = client.navigate(urljoin(gateway.origin, arrived.location))
    assert (arrived.status, arrived.body) == (200, b"bye"), arrived
    assert client.navigate(gateway.origin + "/x").status in (302, 303)


def test_backchannel_logout(make_nginx, upstream, make_oidc_provider, ca, certificate):
    """The browser logs out at the provider itself, without a word to the gateway."""
    path = "/oidc/backchannel-logout"
    gateway = Gateway(make_nginx, upstream, make_oidc_provider, ca, certificate,
                      directives(backchannel_logout_uri=path), backchannel=path, trust=ca)
    client, other = gateway.client(), gateway.client()
    at_op = gateway.client()
    url = begin(client, gateway.origin + "/x")
    response = deliver(client, walk(at_op, at_op.navigate(url), gateway.origin))
    assert response.status in (302, 303), response
    gateway.login(other)
    page = at_op.navigate(gateway.provider.issuer + "/session/end")
    form = forms(page.body, page.url)[0]
    done = at_op.request("POST", form.action, [*NAVIGATION, FORM], form.encode())
    assert done.status in (200, 302, 303), done
    wait_for("logged out", lambda: client.navigate(gateway.origin + "/x").status in (302, 303), 10)
    assert "backchannel called" in gateway.provider.log(), gateway.provider.log()
    assert gateway.echo(other).bearer


def test_chromium(gateway, browser):
    with browser.person() as person:
        url = gateway.origin + "/browser?hello=world"
        page = person.open(url)
        assert page.url == url
        assert Echo(page.inner_text("pre").encode()).bearer


def test_provider_restarts(make_nginx, upstream, make_oidc_provider, ca, certificate):
    """New keys after a restart on the same port: an unknown kid is fetched, once."""
    gateway = Gateway(make_nginx, upstream, make_oidc_provider, ca, certificate)
    client = gateway.client()
    gateway.login(client)
    port = gateway.provider.port
    gateway.provider.stop()
    assert gateway.echo(client).bearer, "sessions live without the provider"
    make_oidc_provider(gateway.origin, port=port)
    gateway.login(gateway.client())
