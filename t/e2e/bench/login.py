"""A login step by step, at any provider, by plain HTTP."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urljoin

from . import canary
from .client import FORM, NAVIGATION, Client, Response
from .forms import forms

CROSS_SITE = [("Sec-Fetch-Site", "cross-site")]


@dataclass
class Delivery:
    """What the provider sends the browser back to the gateway with."""

    url: str  # with its query when the mode is query
    body: bytes | None = None  # of a form_post

    @property
    def fields(self) -> list[tuple[str, str]]:
        text = self.body.decode() if self.body is not None else self.url.partition("?")[2]
        return parse_qsl(text, keep_blank_values=True)

    def with_fields(self, fields) -> "Delivery":
        fields = list(fields.items()) if isinstance(fields, dict) else fields
        if self.body is not None:
            return Delivery(self.url, urlencode(fields).encode())
        return Delivery(f"{self.url.partition('?')[0]}?{urlencode(fields)}")

    def field(self, name: str) -> str | None:
        return dict(self.fields).get(name)


def site_headers(cross_site: bool) -> list:
    if not cross_site:
        return NAVIGATION
    return [h for h in NAVIGATION if h[0] != "Sec-Fetch-Site"] + CROSS_SITE


def begin(client: Client, url: str) -> str:
    """Opens a protected page without a session; returns the authorization URL."""
    response = client.navigate(url)
    assert response.status in (302, 303), response
    assert "no-store" in (response.header("Cache-Control") or ""), response
    for name, value in parse_qsl(response.location.partition("?")[2]):
        if name in ("state", "nonce"):
            canary.plant(name, value)
    return response.location


def walk(browser: Client, response: Response, gateway: str) -> Delivery:
    """Follows a provider's redirects and self-posting forms until one leads to the gateway."""
    for _ in range(10):
        if response.status in (301, 302, 303, 307):
            target = urljoin(response.url, response.location)
            if target.startswith(gateway):
                return _planted(Delivery(target))
            response = browser.navigate(target)
            continue
        found = forms(response.body, response.url)
        assert found, f"neither a redirect nor a form: {response}"
        form = next((f for f in found if f.action.startswith(gateway)), None)
        if form:
            return _planted(Delivery(form.action, form.encode()))
        response = browser.request("POST", found[0].action, [*NAVIGATION, FORM], found[0].encode())
    raise AssertionError("the provider redirects in circles")


def _planted(delivery: Delivery) -> Delivery:
    for name in ("code", "state"):
        canary.plant(name, delivery.field(name))
    return delivery


def deliver(client: Client, delivery: Delivery, cross_site: bool = True) -> Response:
    """Comes back to the gateway; the re-post page, when there is one, is followed once."""
    response = hand_over(client, delivery, cross_site)
    if response.status == 200 and delivery.body is not None:
        again = [f for f in forms(response.body, response.url)
                 if f.action.partition("?")[0] == delivery.url.partition("?")[0]]
        if again:
            response = client.request(
                "POST", again[0].action, [*NAVIGATION[:3], FORM, ("Sec-Fetch-Site", "same-origin")],
                again[0].encode())
    return response


def hand_over(client: Client, delivery: Delivery, cross_site: bool = True) -> Response:
    """The provider's answer alone, without following anything."""
    headers = site_headers(cross_site)
    if delivery.body is None:
        return client.request("GET", delivery.url, headers, cross_site=cross_site)
    return client.request("POST", delivery.url, [*headers, FORM], delivery.body,
                          cross_site=cross_site)


def at_provider(authorize_url: str, gateway: str, context=None) -> Delivery:
    """A provider that logs in by itself (scripted, or npm oidc-provider)."""
    browser = Client(context)
    return walk(browser, browser.navigate(authorize_url), gateway)


def origin_of(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])


def login(client: Client, url: str, context=None) -> Response:
    """The whole login at a self-answering provider; returns the gateway's answer to the callback,
    not followed."""
    return deliver(client, at_provider(begin(client, url), origin_of(url), context))


def login_and_open(client: Client, url: str, context=None) -> Response:
    """The same, then opens what the gateway sends the browser to."""
    response = login(client, url, context)
    assert response.status in (302, 303), response
    return client.navigate(urljoin(url, response.location))
