"""Rules on claims as Keycloak writes them."""

from bench.client import Client
from bench.keycloak import CLIENT_SECRET
from bench.login import begin, deliver
from bench.nginx import directives, location, server
from bench.proc import free_port


def test_roles_and_groups(make_nginx, upstream, keycloak):
    """Alice is an editor in /engineering/gateways."""
    on = "oidc on;" + directives(issuer=keycloak.issuer, client_id="gateway",
                                 client_secret=CLIENT_SECRET, redirect_uri="/callback")
    proxy = f"proxy_pass {upstream.origin};"
    port = free_port()
    make_nginx(server(port, "\n".join([
        location("/", on + proxy),
        location("/edit/", on + directives(roles_claim="realm_access.roles",
                                           roles_required='"reader editor"') + proxy),
        location("/gateways/", on + directives(groups_required="gateways") + proxy),
        location("/verified/", on + directives(
            require=["email_verified = true", r'email matches "[a-z]+@example\.test"',
                     "azp = gateway", "exp > 1700000000"], scopes_required="email",
            audience_required="account", claims_forbidden="act") + proxy)])), port)
    origin = f"http://127.0.0.1:{port}"
    expected = {"alice": {"/edit/": 200, "/gateways/": 200, "/verified/": 200},
                "bob": {"/edit/": 403, "/gateways/": 403, "/verified/": 200}}
    for user, answers in expected.items():
        client = Client()
        response = deliver(client, keycloak.login(begin(client, origin + "/x"), origin, user))
        assert response.status in (302, 303), response
        assert {path: client.get(origin + path).status for path in answers} == answers, user
