"""Two gateways, four workers each, at Keycloak: its refresh tokens are sent once too."""

import time

from bench.burst import Burst
from bench.client import Client
from bench.jose import claims_of
from bench.keycloak import CLIENT_SECRET
from bench.login import begin, deliver
from bench.nginx import directives
from test_refresh_machines import REQUESTS, SETTLED, Gateways, judge_round


def test_one_session_again_and_again_at_keycloak(make_nginx, make_redis, keycloak):
    """Keycloak with revokeRefreshToken: a used refresh token ends the session."""
    life, rounds = 10, 3
    gateways = Gateways(make_redis).start(make_nginx, "oidc on;\n" + directives(
        issuer=keycloak.issuer, client_id="gateway", client_secret=CLIENT_SECRET))
    keycloak.set_realm(accessTokenLifespan=life)
    try:
        client = Client()
        delivery = keycloak.login(begin(client, gateways.url()), gateways.url(""), "bob")
        assert deliver(client, delivery).status in (302, 303)
        refreshed = set()
        with Burst(gateways.ports, REQUESTS) as burst:
            end = time.time() + life
            for _ in range(rounds):
                time.sleep(max(0, end - time.time()) + 1)
                token, _ = judge_round(burst.send("/", gateways.cookie(client)))
                claims = claims_of(token.removeprefix("Bearer "))
                assert claims["exp"] > time.time() - SETTLED
                assert claims["jti"] not in refreshed
                refreshed.add(claims["jti"])
                end = claims["exp"]
        assert keycloak.sessions("bob")
        print(f"\n{rounds} rounds of {REQUESTS} requests on one session: {len(refreshed)} tokens, "
              "the session lives")
    finally:
        keycloak.set_realm(accessTokenLifespan=60)
