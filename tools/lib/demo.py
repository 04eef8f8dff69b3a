"""Starts the demo's parts, waits, and ends them. `tools/demo` prepares what this needs."""

import argparse
import os
import secrets
import shutil
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from demo_page import DemoPage  # makes the bench importable

from bench.browser import Browser
from bench.keycloak import CLIENT_ID, CLIENT_SECRET, PASSWORDS, Keycloak
from bench.nginx import Nginx, Settings
from bench.proc import free_port, root_dir
from bench.redis_server import RedisServer

CONFIGURATION = """
server {{
    listen 127.0.0.1:{port};
    server_name 127.0.0.1 localhost;

    oidc_issuer        {issuer};
    oidc_client_id     {client_id};
    oidc_client_secret {client_secret};
    oidc_scopes        openid profile email;

    oidc_auth_methods        authorization_code session;
    oidc_response_mode       form_post;
    oidc_preserve_query_args on;
    oidc_login_action        redirect;
    oidc_login_tokens        off;

    oidc_session_storage redis;
    oidc_session_secret  {session_secret};
    oidc_redis_host      127.0.0.1;
    oidc_redis_port      {redis_port};

    oidc_logout_uri_suffix   /logout;
    oidc_logout_redirect_uri http://127.0.0.1:{port}/bye;

    oidc_upstream_id_token_header X-Id-Token;
    oidc_upstream_header          X-Name name percent;

    location / {{
        oidc on;
        proxy_pass {upstream};
    }}

    location = /bye {{
        default_type text/html;
        return 200 '<!doctype html><p id="bye">You are logged out. <a href="/">Log in again</a>';
    }}
}}
"""


def say(text: str) -> None:
    print(f"== {text}", flush=True)


def start(stack: ExitStack, options) -> tuple[Nginx, str]:
    say("Keycloak starts (about 20 seconds)")
    keycloak = Keycloak(Path(os.environ["KEYCLOAK_HOME"]))
    stack.callback(keycloak.stop)
    redis = RedisServer()
    stack.callback(redis.stop)
    page = DemoPage()
    stack.callback(page.stop)
    keycloak.wait()
    nginx = Nginx(Settings(options.module, options.nginx), "demo")
    stack.callback(nginx.stop)
    port = free_port(8000)
    nginx.start(CONFIGURATION.format(
        port=port, issuer=keycloak.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET,
        session_secret=secrets.token_urlsafe(48), redis_port=redis.port, upstream=page.origin),
        port, level="info")
    return nginx, f"http://127.0.0.1:{port}/"


def check(stack: ExitStack, address: str) -> None:
    """What a person would do; raises where it goes another way."""
    browser = Browser()
    stack.callback(browser.close)
    with browser.person() as person:
        url = address + "?hello=world"
        page = person.open(url)
        expect(page.is_visible("#username"), f"Keycloak's form, not {page.url}")
        person.keycloak_login(page, "alice")
        page.wait_for_url(url)
        expect(page.inner_text("#name") == "Zoë Müller", "the application knows the user")
        say("logged in, and back at " + page.url)
        page.reload()
        expect(page.url == url and page.is_visible("#name"), "the session stays")
        page.click("#logout")
        page.wait_for_selector("#bye")
        say("logged out")
        page.goto(address)
        expect(page.is_visible("#username"), "after the logout Keycloak asks again")


def expect(condition: bool, what: str) -> None:
    if not condition:
        raise RuntimeError(f"expected: {what}")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--module", type=Path, required=True)
    parser.add_argument("--nginx", type=Path, required=True)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    nginx = None
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, root_dir(), ignore_errors=True)  # last of all
        try:
            nginx, address = start(stack, options)
            if options.check:
                check(stack, address)
                say("the demo works")
                return 0
            users = ", ".join(f"{user} / {password}" for user, password in PASSWORDS.items())
            print(f"\n    {address}?hello=world\n    user / password: {users}\n\n"
                  f"    configuration and logs: {nginx.dir}\n    Ctrl-C ends it\n", flush=True)
            while nginx.process.require_alive():
                time.sleep(0.5)
        except KeyboardInterrupt:
            say("ending")
        except Exception as problem:  # whatever it is: say it, with what nginx logged
            print(f"demo: {problem}", file=sys.stderr)
            if nginx and nginx.error_log.exists():
                print(nginx.error_log.read_text(errors="replace")[-3000:], file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
