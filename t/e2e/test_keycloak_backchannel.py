"""Keycloak calls the gateway's back channel: its administrator ends sessions, or another client."""

import time

import pytest
from bench.client import Client
from bench.forms import forms
from bench.gateway import SESSION_SECRET
from bench.keycloak import CLIENT_SECRET
from bench.login import begin, deliver
from bench.nginx import directives, location, server
from bench.proc import free_port, wait_for
from bench.upstream import Echo

PATH = "/oidc/backchannel-logout"


class Site:
    def __init__(self, make_nginx, upstream, keycloak, client_id, where):
        port = free_port()
        self.origin, self.client_id, self.keycloak = f"http://127.0.0.1:{port}", client_id, keycloak
        body = location("/", "oidc on;" + directives(
            issuer=keycloak.issuer, client_id=client_id, client_secret=CLIENT_SECRET,
            backchannel_logout_uri=PATH, logout_uri_suffix="/logout", logout_methods="GET",
            require_proof_key_for_code_exchange="on", **where)
            + f"proxy_pass {upstream.origin};")
        self.nginx = make_nginx(server(port, body), port, workers=2)

    def login(self, user, browser=None):
        """`browser` is the one at Keycloak; the gateway's cookies are a client of their own."""
        client = Client()
        url = begin(client, self.origin + "/x")
        response = deliver(client, self.keycloak.login(url, self.origin, user, browser=browser))
        assert response.status in (302, 303), response
        assert Echo(client.navigate(self.origin + "/x").body).bearer
        return client

    def logged_out(self, client):
        response = client.navigate(self.origin + "/x")
        assert response.status in (200, 302, 303), response
        return response.status != 200


@pytest.fixture(scope="module", params=["shm", "redis"])
def sites(request, make_nginx, upstream, keycloak, make_redis):
    """Two clients at one Keycloak, each with its back channel."""
    where = {} if request.param == "shm" else {
        "session_storage": "redis", "session_secret": SESSION_SECRET,
        "redis_port": make_redis().port}
    gateway = keycloak.admin("GET", "/clients?clientId=gateway")[0]
    before = dict(gateway["attributes"])
    other = f"other-{request.param}"
    keycloak.admin("POST", "/clients", {
        "clientId": other, "secret": CLIENT_SECRET, "standardFlowEnabled": True,
        "redirectUris": ["http://127.0.0.1:*"],
        "attributes": {"post.logout.redirect.uris": "+"}})
    first = Site(make_nginx, upstream, keycloak, "gateway", where)
    second = Site(make_nginx, upstream, keycloak, other, where)
    gateway["attributes"] |= {"backchannel.logout.url": first.origin + PATH,
                              "backchannel.logout.session.required": "true"}
    keycloak.admin("PUT", f"/clients/{gateway['id']}", gateway)
    yield first, second
    gateway["attributes"] = before
    keycloak.admin("PUT", f"/clients/{gateway['id']}", gateway)
    added = keycloak.admin("GET", f"/clients?clientId={other}")[0]
    keycloak.admin("DELETE", f"/clients/{added['id']}")


def test_the_administrator_ends_all_sessions_of_a_user(sites, keycloak):
    site, _ = sites
    one, two, bob = site.login("alice"), site.login("alice"), site.login("bob")
    log = site.nginx.view()
    keycloak.logout_user("alice")
    for client in (one, two):
        wait_for("logged out", lambda client=client: site.logged_out(client), 10, 0.2)
    assert not site.logged_out(bob)
    assert log.reasons() == []


def test_the_administrator_ends_one_session(sites, keycloak):
    site, _ = sites
    known = {s["id"] for s in keycloak.sessions("bob")}
    one = site.login("bob")
    mine = next(s["id"] for s in keycloak.sessions("bob") if s["id"] not in known)
    two = site.login("bob")
    keycloak.admin("DELETE", f"/sessions/{mine}")
    wait_for("logged out", lambda: site.logged_out(one), 10, 0.2)
    assert not site.logged_out(two)


def test_a_logout_at_another_client(sites, keycloak):
    """RP-initiated there, single sign-on session at Keycloak, back channel here."""
    site, other = sites
    at_keycloak = Client()
    here, there = site.login("alice", at_keycloak), other.login("alice", at_keycloak)
    elsewhere = site.login("alice")
    begun = time.time()
    response = there.navigate(other.origin + "/app/logout")
    assert response.location.startswith(f"{keycloak.issuer}/protocol/openid-connect/logout?")
    page = at_keycloak.navigate(response.location)
    if page.status == 200 and forms(page.body, page.url):  # "Do you want to log out?"
        form = forms(page.body, page.url)[0]
        at_keycloak.request("POST", form.action, [("Content-Type",
                            "application/x-www-form-urlencoded")], form.encode())
    wait_for("logged out here", lambda: site.logged_out(here), 10, 0.2)
    assert time.time() - begun < 30
    assert other.logged_out(there)
    assert not site.logged_out(elsewhere)
    assert site.login("alice", at_keycloak)
