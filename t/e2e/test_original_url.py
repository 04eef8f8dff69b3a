"""After the login the browser stands where it wanted to be, byte for byte."""

import pytest
from bench.client import Client, Url
from bench.gateway import Site, protect
from bench.login import at_provider, begin, deliver
from bench.nginx import location

TARGETS = [
    "/",
    "/page",
    "/page?hello=world",
    "/a%2Fb/c%2f",
    "/a%20b?x=a%20b&y=a+b",
    "/semi;colon=1?a=1;b=2",
    "/%E6%97%A5%E6%9C%AC?q=%C3%BC",
    "/%e6%97%a5?case=%c3%bC",
    "/raw-utf8/日本?q=ü",
    "/repeated?a=1&a=2&a=1",
    "/empty?a=&b&=c&&",
    "/question?a=b?c=d",
    "/just-question?",
    "/slashes//double///triple/",
    "//two-slashes-first",
    "/dots/./a/../b?x=../..",
    "/percent?p=%25&q=%2525",
    "/quotes?a='b'&c=%22",
    "/brackets?a[]=1&a[b]=2&c={d}",
    "/pipe?a=b|c^d`e",
    "/colon:port@host?u=http://evil.test/&v=//evil.test",
    "/back\\slash?a=\\b",
    "/code?code=application-code&state=application-state&error=none",
    "/nul?a=%00%0a%0d",
    "/hash?a=%23frag",
    "/long?" + "&".join(f"k{n}=v{n}" for n in range(80)),
]


@pytest.fixture(scope="module")
def site(make_nginx, upstream, op):
    provider = op.provider("main")
    blocks = [location(f"/{mode}/", protect(
        provider, response_mode=mode, redirect_uri=f"/callback-{mode}",
        preserve_query_args="on") + f"proxy_pass {upstream.origin};")
        for mode in ("query", "form_post")]
    root = location("/", protect(provider) + f"proxy_pass {upstream.origin};")
    dropping = location("/dropping/", protect(
        provider, preserve_query_args="off", redirect_uri="/callback-dropping")
        + f"proxy_pass {upstream.origin};")
    return Site(make_nginx, upstream, provider, "\n".join([root, dropping, *blocks]))


def come_back(site, target):
    client = Client()
    response = site.login(client, target)
    return client, response.location


@pytest.mark.parametrize("mode", ["query", "form_post"])
@pytest.mark.parametrize("target", TARGETS)
def test_comes_back(site, target, mode):
    path = f"/{mode}{target}"
    client, location_ = come_back(site, path)
    arrived = Url.parse(location_).target if "://" in location_ else location_
    sent = path.encode().decode("latin-1")
    assert arrived == sent, (arrived, sent)
    # And what the upstream gets is what it would have got from the browser directly.
    assert client.navigate(site.origin + path).status == 200
    assert site.upstream.requests[-1].target == sent


def test_same_site_only(site):
    """A target that would lead elsewhere is never written as it is."""
    for target in ("//evil.test/", "/\\evil.test/", "/%5cevil.test", "///evil.test"):
        _, location_ = come_back(site, target)
        if "://" in location_:
            assert location_.startswith(site.origin + "/"), location_
        else:
            assert not location_.startswith(("//", "/\\")), location_


@pytest.mark.parametrize("length", [1500, 3000, 6000])
def test_very_long_query_comes_back_or_becomes_its_path(site, length):
    path = "/query/long?" + "a" * length
    _, location_ = come_back(site, path)
    arrived = Url.parse(location_).target if "://" in location_ else location_
    assert arrived in (path, "/query/long")
    if length == 1500:  # deflated, it fits the state
        assert arrived == path


def test_query_is_dropped_when_so_configured(site):
    _, location_ = come_back(site, "/dropping/page?a=b")
    arrived = Url.parse(location_).target if "://" in location_ else location_
    assert arrived == "/dropping/page"


def test_head_keeps_its_target(site):
    client = Client()
    response = client.request("HEAD", site.url("/query/head?x=1"), [
        ("Accept", "text/html"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")])
    assert response.status in (302, 303), response


def test_ten_tabs(site):
    """Ten logins at once with 2 kB targets: five are pending, and all end on their own page."""
    client = Client()
    targets = [f"/query/tab{n}?" + "".join(f"{n}x{i:x}" for i in range(400))[:2000]
               for n in range(10)]
    deliveries = [at_provider(begin(client, site.url(t)), site.origin) for t in targets]
    cookies = client.cookie_header(site.url("/"))
    assert len(client.cookies()) <= 5
    assert len(cookies) <= 4096 + 200
    last = deliver(client, deliveries[-1])
    assert last.status in (302, 303) and last.location.endswith(targets[-1]), last
    for target, delivery in list(zip(targets, deliveries))[:-1]:
        response = deliver(client, delivery)
        assert response.status in (302, 303), response
        assert response.location.endswith(target) or \
            response.location.endswith(target.partition("?")[0]), response
    assert site.echo(client, "/query/after").bearer


def test_address_bar_carries_no_token(site):
    client = Client()
    response = site.login(client, "/query/page?a=b")
    for word in ("access_token", "id_token", "code=", "state=", "#"):
        assert word not in response.location
