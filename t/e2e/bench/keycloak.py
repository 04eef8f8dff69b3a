"""Keycloak with the demo realm, its admin interface, and a login at its form by plain HTTP."""

import json
import os
import shutil
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

from . import canary
from .client import FORM, NAVIGATION, Client, Response
from .forms import forms
from .login import Delivery, walk
from .proc import Process, free_port, make_dir, wait_for

REALM_FILE = Path(__file__).parent.parent / "keycloak" / "demo-realm.json"
REALM = "demo"
CLIENT_ID = "gateway"
CLIENT_SECRET = "demo-gateway-secret-change-me"
PASSWORDS = {"alice": "alice", "bob": "bob"}


class Keycloak:
    def __init__(self, home: Path, certificate=None, port: int = 8180):
        self.home = home
        self.certificate = certificate
        self.dir = make_dir("keycloak")
        self._token = ""
        self._import_realm(home)
        self._start(port)

    def _start(self, port: int) -> None:
        self.port = free_port(port)
        self.https_port = free_port() if self.certificate else 0
        self.origin = f"http://localhost:{self.port}"
        self.issuer = f"{self.origin}/realms/{REALM}"
        self.https_issuer = f"https://localhost:{self.https_port}/realms/{REALM}"
        tls = []
        if self.certificate:
            tls = [f"--https-port={self.https_port}",
                   f"--https-certificate-file={self.certificate.cert}",
                   f"--https-certificate-key-file={self.certificate.key}"]
        self.process = Process(
            "keycloak",
            [self.home / "bin" / "kc.sh", "start", "--optimized", "--import-realm",
             "--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={self.port}",
             f"--http-management-port={free_port()}", "--hostname-strict=false", *tls],
            self.dir / f"keycloak-{self.port}.log",
            {"KC_BOOTSTRAP_ADMIN_USERNAME": "admin", "KC_BOOTSTRAP_ADMIN_PASSWORD": "admin",
             "JAVA_OPTS_KC_HEAP": "-Xms128m -Xmx512m"})

    @staticmethod
    def _import_realm(home: Path) -> None:
        target = home / "data" / "import" / REALM_FILE.name
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(f".{os.getpid()}")
        shutil.copy(REALM_FILE, partial)
        partial.replace(target)

    def wait(self, timeout: float = 180) -> "Keycloak":
        def ready():
            if not self.process.alive() and "Port already bound" in self.process.log.read_text():
                self._start(0)  # it binds its port half a minute after it was found free
            self.process.require_alive()
            try:
                with urllib.request.urlopen(
                        f"{self.issuer}/.well-known/openid-configuration", timeout=20) as answer:
                    return json.load(answer)["issuer"] == self.issuer
            except OSError:
                return False
        wait_for("keycloak", ready, timeout, 0.3)
        return self

    def stop(self) -> None:
        self.process.stop()

    # Admin interface

    def admin(self, method: str, path: str, body=None):
        for attempt in (1, 2):
            request = urllib.request.Request(
                f"{self.origin}/admin/realms/{REALM}{path}", method=method,
                data=None if body is None else json.dumps(body).encode(),
                headers={"Authorization": f"Bearer {self._token}",
                         "Content-Type": "application/json"})
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    text = answer.read()
                    return json.loads(text) if text else None
            except urllib.error.HTTPError as error:
                if error.code != 401 or attempt == 2:
                    raise RuntimeError(f"{method} {path}: {error.read()[:500]}") from error
                self._sign_in()

    def _sign_in(self) -> None:
        form = urlencode({"grant_type": "password", "client_id": "admin-cli",
                          "username": "admin", "password": "admin"}).encode()
        url = f"{self.origin}/realms/master/protocol/openid-connect/token"
        with urllib.request.urlopen(url, form, timeout=30) as answer:
            self._token = json.load(answer)["access_token"]

    def add_caller(self, client_id: str, *audiences: str) -> None:
        """A client that gets access tokens for `audiences` by itself and with a user's password."""
        self.admin("POST", "/clients", {
            "clientId": client_id, "secret": CLIENT_SECRET, "publicClient": False,
            "standardFlowEnabled": False, "serviceAccountsEnabled": True,
            "directAccessGrantsEnabled": True,
            "protocolMappers": [{
                "name": audience, "protocol": "openid-connect",
                "protocolMapper": "oidc-audience-mapper",
                "config": {"included.custom.audience": audience, "access.token.claim": "true",
                           "introspection.token.claim": "true"}} for audience in audiences]})

    def grant(self, client_id: str, **form) -> dict:
        """The token endpoint's answer; `user` and `password`, or the client alone."""
        fields = {"client_id": client_id, "client_secret": CLIENT_SECRET, "scope": "openid",
                  "grant_type": "client_credentials", **form}
        url = f"{self.issuer}/protocol/openid-connect/token"
        with urllib.request.urlopen(url, urlencode(fields).encode(), timeout=30) as answer:
            tokens = json.load(answer)
        for name in ("access_token", "refresh_token", "id_token"):
            canary.plant(f"Keycloak's {name}", tokens.get(name))
        return tokens

    def set_realm(self, **values) -> None:
        """For example accessTokenLifespan=5 (seconds)."""
        self.admin("PUT", "", values)

    def user_id(self, name: str) -> str:
        return self.admin("GET", f"/users?username={name}&exact=true")[0]["id"]

    def logout_user(self, name: str) -> None:
        """Ends all sessions of the user at the provider; its refresh tokens are dead then."""
        self.admin("POST", f"/users/{self.user_id(name)}/logout")

    def sessions(self, name: str) -> list:
        return self.admin("GET", f"/users/{self.user_id(name)}/sessions")

    # Login by plain HTTP

    def login(self, authorize_url: str, gateway: str, user: str = "alice",
              password: str | None = None, browser: Client | None = None,
              context: ssl.SSLContext | None = None) -> Delivery:
        browser = browser or Client(context)
        page = browser.navigate(authorize_url)
        if page.status in (302, 303):  # the provider knows this browser already
            return walk(browser, page, gateway)
        answer = self.submit(browser, page, user, password or PASSWORDS[user])
        return walk(browser, answer, gateway)

    @staticmethod
    def submit(browser: Client, page: Response, user: str, password: str) -> Response:
        form = next(f for f in forms(page.body, page.url) if f.id == "kc-form-login")
        body = form.encode(username=user, password=password)
        return browser.request("POST", form.action, [*NAVIGATION, FORM], body)
