"""Headless Chromium by Playwright. `service.test` leads to loopback."""

from contextlib import contextmanager

from playwright.sync_api import sync_playwright

from . import canary

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--host-resolver-rules=MAP service.test 127.0.0.1"]


class Browser:
    def __init__(self, executable: str = "/usr/bin/chromium", trusted=()):
        """`trusted`: certificates (ca.Certificate) that the browser accepts."""
        flags = list(FLAGS)
        if trusted:
            pins = ",".join(c.spki_sha256 for c in trusted)
            flags.append(f"--ignore-certificate-errors-spki-list={pins}")
        self._playwright = sync_playwright().start()
        self._chromium = self._playwright.chromium.launch(
            executable_path=executable, headless=True, args=flags)

    @property
    def version(self) -> str:
        return self._chromium.version

    @contextmanager
    def person(self):
        """A new empty profile. Yields a Person; what it held becomes a canary."""
        context = self._chromium.new_context()
        context.set_default_timeout(20000)
        try:
            yield Person(context)
        finally:
            for cookie in context.cookies():
                canary.plant(f"cookie {cookie['name']}", cookie["value"])
            context.close()

    def close(self) -> None:
        self._chromium.close()
        self._playwright.stop()


class Person:
    def __init__(self, context):
        self.context = context
        self.requests = []  # every request of every tab, in order
        context.on("request", lambda request: self.requests.append(request))

    def tab(self):
        return self.context.new_page()

    def open(self, url: str):
        page = self.tab()
        page.goto(url)
        return page

    def cookies(self, prefix: str = "") -> list[dict]:
        return [c for c in self.context.cookies() if c["name"].startswith(prefix)]

    @staticmethod
    def keycloak_login(page, user: str = "alice", password: str | None = None) -> None:
        page.fill("#username", user)
        page.fill("#password", password or user)
        page.click("#kc-login")
        page.wait_for_load_state()
