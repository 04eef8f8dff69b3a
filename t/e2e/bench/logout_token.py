"""Logout tokens of the scripted provider, and how a provider delivers them."""

import json
import secrets
import time
from urllib.parse import urlencode

from .client import FORM, Client, Response
from .jose import compact
from .proc import wait_for
from .scripted_op import Provider

EVENT = "http://schemas.openid.net/event/backchannel-logout"


def logout_claims(provider: Provider, **changes) -> dict:
    """Right claims of a logout by sid, with some changed; None takes one out."""
    now = int(time.time())
    claims = {"iss": provider.issuer, "aud": provider.client_id, "iat": now, "exp": now + 120,
              "jti": secrets.token_hex(8), "sid": provider.claims.get("sid"), "events": {EVENT: {}},
              **changes}
    return {name: value for name, value in claims.items() if value is not None}


def logout_token(provider: Provider, header: dict | None = None, sign=None, **changes) -> str:
    head = {"alg": provider.signer.alg, "typ": "logout+jwt", "kid": provider.signer.kid,
            **(header or {})}
    head = {name: value for name, value in head.items() if value is not None}
    return compact(head, logout_claims(provider, **changes), sign or provider.signer.sign)


def logged_in(site, sid="sid-1", subject="alice", path="/page"):
    site.provider.claims = {"sub": subject, "sid": sid}
    client = Client()
    site.login(client, path)
    assert site.echo(client, path).bearer
    return client


def ended(site, client: Client) -> None:
    """The session is over, whichever worker is asked; each is told at once, but not by us."""
    wait_for("the end of the session",
             lambda: all(site.asks_for_login(client) for _ in range(4)), 5, 0.05)


def deliver(url: str, token: str, context=None) -> Response:
    """POST it as a provider does; the answer is the specification's whatever it says."""
    body = urlencode({"logout_token": token}).encode()
    return deliver_raw(url, body, context)


def deliver_raw(url: str, body: bytes, context=None, headers=(FORM,), method="POST") -> Response:
    response = Client(context).request(method, url, list(headers), body)
    assert response.header("Cache-Control") == "no-store", response
    assert response.all("Set-Cookie") == [], response
    if response.status != 200:
        assert response.header("Content-Type") == "application/json", response
        assert json.loads(response.body)["error"], response
    return response
