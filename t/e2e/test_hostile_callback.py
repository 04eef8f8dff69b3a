"""Callbacks that are not what the provider sent: one fault each."""

import time

import pytest
from bench import canary
from bench.client import FORM, NAVIGATION, Client
from bench.forms import forms
from bench.hostile import Case, Gateway
from bench.login import Delivery, at_provider, begin, deliver, hand_over
from bench.reasons import STATUS

ANY = Case("query", (), lambda p: None)
FORM_POST = Case("form", (), lambda p: None, {"response_mode": "form_post"})
NO_ISS = Case("no-iss", (), lambda p: None)
SHORT = Case("short", (), lambda p: None, {"authorization_rolling_timeout": "30s"})
OTHER = Case("other", (), lambda p: None)


@pytest.fixture(scope="module")
def gateway(make_nginx, upstream, op):
    op.provider("no-iss").edit_metadata = lambda m: {
        k: v for k, v in m.items() if k != "authorization_response_iss_parameter_supported"}
    return Gateway(make_nginx, upstream, op, [ANY, FORM_POST, NO_ISS, SHORT, OTHER])


@pytest.fixture(scope="module", autouse=True)
def early(gateway):
    """A login that begins with this file and comes back at its end, too late."""
    return arrive(gateway, SHORT), time.monotonic()


def arrive(gateway, case=ANY, client=None) -> tuple[Client, Delivery]:
    """A browser that stands before the callback with everything right."""
    client = client or Client()
    return client, at_provider(begin(client, gateway.url(case)), gateway.origin)


def refused(gateway, response, log, reasons, case=ANY):
    reasons = (reasons,) if isinstance(reasons, str) else reasons
    reason = log.wait_reason(reasons)
    assert reason, f"expected {reasons}, logged {log.reasons()}\n{response}\n{log.text()}"
    assert response.status == STATUS[reason], response
    assert response.header("Location") is None, response
    assert "no-store" in (response.header("Cache-Control") or ""), response
    assert canary.find(response.body) == [], response
    assert gateway.upstream.seen(f"/{case.name}/") == []
    return reason


def drop(name):
    return lambda fields: [f for f in fields if f[0] != name]


def put(name, value):
    """Replaces a parameter, in its place."""
    return lambda fields: [(n, value(v) if callable(value) else value) if n == name else (n, v)
                           for n, v in fields]


def add(name, value="x"):
    return lambda fields: [*fields, (name, value)]


def twice(name):
    return lambda fields: [*fields, *[f for f in fields if f[0] == name]]


def flip(text):
    middle = len(text) // 2
    return text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1:]


PARAMETERS = {
    "nothing": (lambda fields: [], ("state_missing", "parameter_missing")),
    "no-state": (drop("state"), "state_missing"),
    "state-empty": (put("state", ""), ("state_missing", "state_invalid")),
    "state-garbled": (put("state", "hello"), "state_invalid"),
    "state-not-base64": (put("state", "!!!<script>!!!" * 5), "state_invalid"),
    "state-flipped": (put("state", flip), "state_invalid"),
    "state-cut": (put("state", lambda s: s[:-4]), "state_invalid"),
    "state-longer": (put("state", lambda s: s + "AAAA"), "state_invalid"),
    "state-padded": (put("state", lambda s: s + "="), "state_invalid"),
    "state-huge": (put("state", "A" * 6000), ("state_invalid", "parameter_malformed")),
    "state-twice": (twice("state"), "parameter_duplicated"),
    "no-code": (drop("code"), "parameter_missing"),
    "code-empty": (put("code", ""), ("parameter_missing", "parameter_malformed")),
    "code-twice": (twice("code"), "parameter_duplicated"),
    "code-other-twice": (add("code", "second"), "parameter_duplicated"),
    "code-control": (put("code", "a\x01b"), "parameter_malformed"),
    "code-nul": (put("code", "a\x00b"), "parameter_malformed"),
    "code-newline": (put("code", "a\r\nreason=none"), "parameter_malformed"),
    "code-invented": (put("code", "invented-by-the-attacker"), "token_request_rejected"),
    "iss-missing": (drop("iss"), "iss_missing"),
    "iss-empty": (put("iss", ""), ("iss_mismatch", "iss_missing")),
    "iss-other": (put("iss", "http://evil.test"), "iss_mismatch"),
    "iss-slash": (put("iss", lambda v: v + "/"), "iss_mismatch"),
    "iss-twice": (twice("iss"), "parameter_duplicated"),
    "code-and-error": (add("error", "access_denied"),
                       ("parameter_malformed", "parameter_duplicated", "access_denied",
                        "provider_error")),
    "error-twice": (lambda f: add("error", "b")(add("error", "a")(f)), "parameter_duplicated"),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_query(gateway, name):
    change, reasons = PARAMETERS[name]
    client, delivery = arrive(gateway)
    log = gateway.nginx.view()
    response = hand_over(client, delivery.with_fields(change(delivery.fields)))
    refused(gateway, response, log, reasons)


@pytest.mark.parametrize("name", PARAMETERS)
def test_form_post(gateway, name):
    """The same by form_post, from a browser that sends its Lax cookies (same site)."""
    change, reasons = PARAMETERS[name]
    client, delivery = arrive(gateway, FORM_POST)
    log = gateway.nginx.view()
    response = deliver(client, delivery.with_fields(change(delivery.fields)), cross_site=False)
    refused(gateway, response, log, reasons, FORM_POST)


ENCODINGS = {
    "bad-percent": ("code=%zz&state={state}", "parameter_malformed"),
    "cut-percent": ("state={state}&code=%4", "parameter_malformed"),
    "bad-utf8": ("code=%ff%fe&state={state}", "parameter_malformed"),
    "only-ampersands": ("&&&&", ("state_missing", "parameter_missing")),
    "only-question": ("?", ("state_missing", "parameter_missing")),
    "names-encoded": ("%63ode=a&code=b&state={state}", "parameter_duplicated"),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_encoding(gateway, name):
    query, reasons = ENCODINGS[name]
    client, delivery = arrive(gateway)
    log = gateway.nginx.view()
    query = query.format(state=delivery.field("state"))
    response = client.navigate(f"{delivery.url.partition('?')[0]}?{query}")
    refused(gateway, response, log, reasons)


ERRORS = {
    "access_denied": "access_denied",
    "temporarily_unavailable": "provider_unavailable",
    "server_error": ("provider_error", "provider_unavailable"),
    "invalid_request": "provider_error",
    "unauthorized_client": "provider_error",
    "invalid_scope": "provider_error",
    "<script>alert(1)</script>": ("provider_error", "parameter_malformed"),
    "": ("provider_error", "parameter_malformed", "parameter_missing"),
}


@pytest.mark.parametrize("error", ERRORS)
def test_error_answers(gateway, error):
    client, delivery = arrive(gateway)
    fields = [("error", error), ("error_description", "<b>planted description</b>"),
              ("state", delivery.field("state")), ("iss", delivery.field("iss"))]
    log = gateway.nginx.view()
    response = hand_over(client, delivery.with_fields(fields))
    reason = refused(gateway, response, log, ERRORS[error])
    assert b"<script>alert" not in response.body and b"<b>planted" not in response.body
    assert "planted description" not in log.text()
    if STATUS[reason] == 503:
        assert int(response.header("Retry-After")) > 0


def test_error_with_wrong_iss(gateway):
    client, delivery = arrive(gateway)
    log = gateway.nginx.view()
    response = hand_over(client, delivery.with_fields(
        {"error": "access_denied", "state": delivery.field("state"), "iss": "http://evil.test"}))
    refused(gateway, response, log, "iss_mismatch")


def test_login_required_restarts_once(gateway):
    """The first time a new login starts, the second time the browser gets an answer."""
    client, delivery = arrive(gateway)
    fields = {"error": "login_required", "state": delivery.field("state"),
              "iss": delivery.field("iss")}
    restarted = hand_over(client, delivery.with_fields(fields))
    assert restarted.status in (302, 303), restarted
    assert restarted.location.startswith(gateway.op.provider("query").issuer + "/authorize")
    second = at_provider(restarted.location, gateway.origin)
    log = gateway.nginx.view()
    response = hand_over(client, second.with_fields(fields | {"state": second.field("state")}))
    refused(gateway, response, log, ("login_loop", "login_required"))


def test_iss_not_announced_may_be_absent(gateway):
    client, delivery = arrive(gateway, NO_ISS)
    response = hand_over(client, delivery.with_fields(drop("iss")(delivery.fields)))
    assert response.status in (302, 303), response


def test_iss_not_announced_but_wrong(gateway):
    client, delivery = arrive(gateway, NO_ISS)
    log = gateway.nginx.view()
    wrong = put("iss", "http://evil.test")(delivery.fields)
    refused(gateway, hand_over(client, delivery.with_fields(wrong)), log, "iss_mismatch", NO_ISS)


def test_replay_without_session(gateway):
    client, delivery = arrive(gateway)
    assert hand_over(client, delivery).status in (302, 303)
    log, seen = gateway.nginx.view(), gateway.op.provider("query").count("token")
    response = hand_over(Client(), delivery)
    refused(gateway, response, log, ("state_replayed", "login_cookie_missing"))
    assert gateway.op.provider("query").count("token") == seen


def test_replay_with_the_old_login_cookie(gateway):
    """A browser restored from a backup: the pending cookie is back, the state is used."""
    client, delivery = arrive(gateway)
    jar = dict(client.jar)
    assert hand_over(client, delivery).status in (302, 303)
    thief = Client()
    thief.jar = jar
    log, seen = gateway.nginx.view(), gateway.op.provider("query").count("token")
    refused(gateway, hand_over(thief, delivery), log, "state_replayed")
    assert gateway.op.provider("query").count("token") == seen


def test_replay_with_session_goes_to_its_target(gateway):
    client, delivery = arrive(gateway)
    first = hand_over(client, delivery)
    second = hand_over(client, delivery)
    assert (second.status, second.location) == (first.status, first.location)


def test_state_of_another_browser(gateway):
    """Login CSRF: the attacker's answer in the victim's browser."""
    _, attackers = arrive(gateway)
    victim, own = arrive(gateway)
    log, seen = gateway.nginx.view(), gateway.op.provider("query").count("token")
    response = hand_over(victim, attackers)
    refused(gateway, response, log, ("login_cookie_missing", "state_mismatch"))
    assert gateway.op.provider("query").count("token") == seen
    assert hand_over(victim, own).status in (302, 303), "the victim's own login still works"


def test_state_of_another_browser_with_a_session(gateway):
    """With a session it may go to the state's target, but never becomes the attacker."""
    victim, own = arrive(gateway)
    assert hand_over(victim, own).status in (302, 303)
    _, attackers = arrive(gateway)
    seen = gateway.op.provider("query").count("token")
    jar = {key: cookie.value for key, cookie in victim.jar.items()}
    response = hand_over(victim, attackers)
    assert response.status in (302, 303, 400), response
    assert gateway.op.provider("query").count("token") == seen
    assert {key: cookie.value for key, cookie in victim.jar.items()} == jar


def test_login_cookie_garbled(gateway):
    client, delivery = arrive(gateway)
    for cookie in client.jar.values():
        cookie.value = flip(cookie.value)
    log = gateway.nginx.view()
    refused(gateway, hand_over(client, delivery), log, ("login_cookie_missing", "state_mismatch"))


def test_login_cookies_swapped(gateway):
    """Two pending logins of one browser: each state belongs to its own cookie."""
    client, first = arrive(gateway)
    arrive(gateway, client=client)
    one, two = client.jar.values()
    one.value, two.value = two.value, one.value
    log = gateway.nginx.view()
    refused(gateway, hand_over(client, first), log, ("login_cookie_missing", "state_mismatch"))


def test_state_of_another_location(gateway):
    client, delivery = arrive(gateway, OTHER)
    here = delivery.url.replace("/callback/other", "/callback/query")
    log = gateway.nginx.view()
    response = hand_over(client, Delivery(here))
    refused(gateway, response, log, ("state_invalid", "redirect_uri_mismatch", "iss_mismatch",
                                     "login_cookie_missing", "state_mismatch"))


def test_get_for_a_form_post_login(gateway):
    client, delivery = arrive(gateway, FORM_POST)
    url = f"{delivery.url}?{delivery.body.decode()}"
    log = gateway.nginx.view()
    refused(gateway, client.navigate(url), log, "response_mode_mismatch", FORM_POST)


def test_post_for_a_query_login(gateway):
    client, delivery = arrive(gateway)
    url, _, query = delivery.url.partition("?")
    log = gateway.nginx.view()
    response = client.post(url, query.encode())
    refused(gateway, response, log, "response_mode_mismatch")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
def test_methods(gateway, method):
    client, delivery = arrive(gateway)
    log = gateway.nginx.view()
    response = client.request(method, delivery.url)
    refused(gateway, response, log, "callback_method")


BODIES = {
    "json": ([("Content-Type", "application/json")], b'{"code":"a"}', "callback_body_type"),
    "no-type": ([], b"code=a&state=b", "callback_body_type"),
    "multipart": ([("Content-Type", "multipart/form-data; boundary=x")], b"--x--",
                  "callback_body_type"),
    "type-prefix": ([("Content-Type", "application/x-www-form-urlencoded-not")], b"code=a",
                    "callback_body_type"),
    "empty": ([FORM], b"", ("state_missing", "parameter_missing")),
    "huge": ([FORM], b"code=" + b"a" * 200_000, "callback_body_too_large"),
    "huge-chunked": ([FORM, ("Transfer-Encoding", "chunked")],
                     b"20000\r\n" + b"a" * 0x20000 + b"\r\n0\r\n\r\n", "callback_body_too_large"),
    "many-fields": ([FORM], b"&".join(b"a%d=b" % n for n in range(5000)),
                    ("parameter_malformed", "state_missing", "callback_body_too_large")),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies(gateway, name):
    headers, body, reasons = BODIES[name]
    client, delivery = arrive(gateway, FORM_POST)
    log = gateway.nginx.view()
    response = client.request("POST", delivery.url, [*NAVIGATION, *headers], body)
    refused(gateway, response, log, reasons, FORM_POST)


def test_content_type_with_parameters(gateway):
    client, delivery = arrive(gateway, FORM_POST)
    headers = [("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")]
    response = client.request("POST", delivery.url, headers, delivery.body)
    assert response.status in (302, 303), response


def test_chunked_form(gateway):
    client, delivery = arrive(gateway, FORM_POST)
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(delivery.body), delivery.body)
    response = client.request("POST", delivery.url, [FORM, ("Transfer-Encoding", "chunked")], body)
    assert response.status in (302, 303), response


@pytest.mark.parametrize("size", [5_000, 15_000, 30_000, 60_000])
def test_big_form(gateway, size):
    """Below the cap of 64 kB a form is read, whatever nginx's buffers are."""
    client, delivery = arrive(gateway, FORM_POST)
    body = delivery.body + b"&filler=" + b"x" * size
    response = client.request("POST", delivery.url, [FORM], body, timeout=5)
    assert response.status in (302, 303), response


def test_unknown_parameters_are_ignored(gateway):
    """RFC 6749 4.1.2: unrecognised response parameters must be ignored, twice too."""
    client, delivery = arrive(gateway)
    fields = [*delivery.fields, ("session_state", "x"), ("extra", "1"), ("extra", "2")]
    assert hand_over(client, delivery.with_fields(fields)).status in (302, 303)


def test_repost_page(gateway):
    """Cross-site POST on plain http: the page holds the fields, escaped, once, and no more."""
    client, delivery = arrive(gateway, FORM_POST)
    fields = [*delivery.fields, ("session_state", '"><script>alert(1)</script>'), ("evil", "x")]
    seen = gateway.op.provider("form").count("token")
    page = hand_over(client, delivery.with_fields(fields))
    assert page.status == 200, page
    assert b"<script>alert" not in page.body and b'name="evil"' not in page.body
    policy = page.header("Content-Security-Policy")
    for wanted in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "nonce-"):
        assert wanted in policy, policy
    assert "form-action" not in policy
    script = next(p for p in policy.split(";") if p.strip().startswith("script-src"))
    assert "unsafe" not in script
    assert page.header("Referrer-Policy") == "no-referrer"
    assert "no-store" in page.header("Cache-Control")
    assert page.all("Set-Cookie") == []
    assert b"<button" in page.body.lower() or b'type="submit"' in page.body.lower()
    # A browser that still has no cookie on the second round gets an answer, not another page.
    form = forms(page.body, page.url)[0]
    log = gateway.nginx.view()
    response = Client().request("POST", form.action, [FORM], form.encode())
    refused(gateway, response, log, "login_cookie_missing", FORM_POST)
    assert gateway.op.provider("form").count("token") == seen


@pytest.mark.parametrize("state", ["hello", "", "A" * 5000])
def test_no_repost_page_for_a_bad_state(gateway, state):
    client, delivery = arrive(gateway, FORM_POST)
    log = gateway.nginx.view()
    response = hand_over(client, delivery.with_fields(put("state", state)(delivery.fields)))
    refused(gateway, response, log, ("state_invalid", "state_missing", "parameter_malformed"),
            FORM_POST)


def test_callback_is_matched_exactly(gateway):
    for path in ("/callback/query/", "/callback/queryx", "/callback/QUERY", "/callback"):
        response = Client().navigate(f"{gateway.origin}{path}?code=a&state=b")
        assert response.status == 404, response


def test_login_expires(gateway, early):
    (client, delivery), begun = early
    time.sleep(max(0.0, 31.5 - (time.monotonic() - begun)))
    log = gateway.nginx.view()
    refused(gateway, hand_over(client, delivery), log, "state_expired", SHORT)
