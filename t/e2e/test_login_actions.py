"""What answers the callback: redirect, upstream, response."""

import pytest
from bench.client import FORM, NAVIGATION, Client
from bench.gateway import Site, protect
from bench.jose import claims_of
from bench.login import at_provider, begin, deliver, login
from bench.nginx import location
from bench.upstream import Echo


@pytest.fixture
def provider(op, request):
    return op.provider("".join(c if c.isalnum() else "-" for c in request.node.name))


def test_redirect_with_tokens_in_the_fragment(make_nginx, upstream, provider):
    site = Site(make_nginx, upstream, provider, login_tokens="id_token")
    response = login(Client(), site.url("/page?a=b"))
    assert response.status in (302, 303), response
    target, _, fragment = response.location.partition("#")
    assert target.removeprefix(site.origin) == "/page?a=b"
    name, _, token = fragment.partition("=")
    assert name == "id_token" and claims_of(token)["sub"] == "alice"
    assert "no-store" in response.header("Cache-Control")


def test_redirect_elsewhere(make_nginx, upstream, provider):
    site = Site(make_nginx, upstream, provider, login_redirect_uri="/welcome?from=$server_name")
    response = login(Client(), site.url("/page"))
    assert response.location.removeprefix(site.origin).startswith("/welcome")


def test_response(make_nginx, upstream, provider):
    site = Site(make_nginx, upstream, provider, login_action="response",
                login_tokens="access_token id_token")
    client = Client()
    response = login(client, site.url("/page"))
    assert response.status == 200, response
    assert response.header("Content-Type").startswith("application/json")
    assert "no-store" in response.header("Cache-Control")
    assert response.header("X-Content-Type-Options") == "nosniff"
    body = response.json()
    assert set(body) == {"access_token", "id_token"}
    assert claims_of(body["id_token"])["sub"] == "alice"
    assert upstream.seen("/page") == []
    assert site.echo(client).bearer == body["access_token"]


@pytest.mark.parametrize("mode", ["query", "form_post"])
@pytest.mark.parametrize("target", ["/page", "/a%2Fb//c/../d?x=%20&y=+&z;=;", "/ü?q=ü",
                                    "/up/../page?"])
def test_upstream(make_nginx, upstream, provider, mode, target):
    """The original request goes on as a GET, byte for byte, with nothing of the callback."""
    body = location("/", protect(provider, login_action="upstream", response_mode=mode)
                    + f"proxy_pass {upstream.origin};")
    site = Site(make_nginx, upstream, provider, body)
    client = Client()
    delivery = at_provider(begin(client, site.url(target)), site.origin)
    response = deliver(client, delivery)
    assert response.status == 200, response
    echo = Echo(response.body)
    assert (echo.method, echo.body) == ("GET", "")
    assert echo.target == target.encode().decode("latin-1")
    assert claims_of(echo.bearer)["sub"] == "alice"
    for name in ("Content-Type", "Content-Length", "Transfer-Encoding", "Origin", "Cookie"):
        assert echo.header(name) is None, name
    text = str(echo.headers) + echo.target
    assert delivery.field("code") not in text and delivery.field("state") not in text
    assert "no-store" in response.header("Cache-Control")
    assert [c for c in client.cookies() if "session" in c.name]


def test_post_that_never_logs_in(make_nginx, upstream, provider):
    """A POST without a session is lost by design: 401, no login, no body kept."""
    site = Site(make_nginx, upstream, provider)
    response = Client().request("POST", site.url("/form"), [*NAVIGATION, FORM], b"a=b")
    assert response.status == 401
