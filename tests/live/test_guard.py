"""Nobody gets in by another name or from another page; what is too long or too much is refused in one line."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from streamlit import config
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from pcviz.live import ceilings, guard
from pcviz.live.guard import Guard, refusal
from pcviz.live.stream import Live
from pcviz.settings import Settings
from tests.live.live_server import listening, request, served, wait_until, websocket


@pytest.fixture(autouse=True)
def no_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No host is allowed by name before a test allows it."""
    monkeypatch.setattr(guard, "_allowed", [])
    yield
    config.set_option("server.allowedHosts", [])


@pytest.mark.parametrize("path", ["/live/frames?runs=x", "/live/keep?runs=x", "/live/plotly.js", "/live/live.js", "/"])
@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_other_sites_are_refused(database_url: str, path: str, headers: dict[str, str]) -> None:
    with served(Live(Settings(database=database_url))) as port:
        response, body = request(port, path, headers, "POST" if "keep" in path else "GET")
    assert response.status == 403 and b"evil.example" in body and b"\n" not in body


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("localhost:8501", None, True),
        ("LOCALHOST:8501", "http://localhost:8501", True),
        ("localhost.:8501", None, True),
        ("pcviz.localhost", None, True),
        ("127.0.0.1:8501", None, True),
        ("[::1]:8501", "http://[::1]:8501", True),
        ("192.168.1.5:8501", "http://192.168.1.5:8501", True),
        ("localhost:8501", "http://localhost:9999", False),
        ("localhost:8501", "null", False),
        ("localhost:8501", "http://[", False),
        ("evil.example", None, False),
        ("evil.example", "http://evil.example", False),
        ("127.0.0.1.evil.example", None, False),
        ("user@localhost", None, False),
        ("localhost:x", None, False),
        ("localhost/lab.example", None, False),
        ("", None, False),
        ("lab.example", "https://lab.example", True),
        ("LAB.example.:8501", "https://lab.example:8501", True),
        ("lab.example:443", "https://lab.example", True),
        ("lab.example", "https://lab.example:8443", True),
        ("127.0.0.1:8501", "https://lab.example", True),
        ("lab.example", "https://evil.example", False),
        ("x.lab.example", None, False),
        ("x.class.example", "https://x.class.example", True),
        ("class.example", None, False),
        ("127.0.0.1:8501", "https://x.class.example", False),
        ("127.0.0.1:8501", "https://cors.example:8443", True),
        ("127.0.0.1:8501", "https://cors.example", False),
    ],
)
def test_hosts_and_origins(host: str, origin: str | None, allowed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    config.set_option("server.allowedHosts", ["Lab.example", "*.class.example"])
    before = config.get_option("server.corsAllowedOrigins")
    config.set_option("server.corsAllowedOrigins", ["https://cors.example:8443/"])
    try:
        assert (refusal([host], [origin] if origin is not None else []) is None) == allowed
        assert config.get_option("server.allowedHosts") == [], "Streamlit would refuse localhost and addresses now"
    finally:
        config.set_option("server.corsAllowedOrigins", before)


@pytest.mark.parametrize(
    ("option", "value", "host", "origin"),
    [
        ("server.address", "Lab.example", "lab.example", None),
        ("server.address", "Lab.example.", "lab.example:8501", None),
        ("browser.serverAddress", "LAB.example:8501", "lab.example:8501", None),
        ("browser.serverAddress", "https://lab.example/", "lab.example", None),
        ("server.allowedHosts", ["Lab.example:8501"], "lab.example:8501", "https://lab.example"),
        ("server.allowedHosts", ["*.Lab.example:8501"], "x.lab.example:8501", None),
        ("server.corsAllowedOrigins", ["HTTPS://Lab.example:443/"], "127.0.0.1:8501", "https://lab.example"),
        ("server.corsAllowedOrigins", ["http://lab.example."], "127.0.0.1:8501", "http://lab.example:80"),
    ],
)
def test_options_mean_the_same_however_they_are_spelled(
    option: str, value: object, host: str, origin: str | None
) -> None:
    origins = [origin] if origin else []
    assert refusal([host], origins)
    before, where = config.get_option(option), config.get_where_defined(option)
    config.set_option(option, value)
    try:
        assert refusal([host], origins) is None
        assert refusal(["other.example"], []), "and nobody else's name"
    finally:
        config.set_option(option, before, where)


def test_names_are_read_anew_with_the_configuration_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".streamlit" / "config.toml"
    file.parent.mkdir()
    with monkeypatch.context() as elsewhere:
        elsewhere.chdir(tmp_path)
        try:
            for names, allowed in (
                (["lab.example"], True),
                (["other.example"], False),
                (["lab.example"], True),
                ([], False),
            ):
                file.write_text(f"[server]\nallowedHosts = {names}\n")
                config.get_config_options(force_reparse=True)
                for _ in range(2):
                    assert (refusal(["lab.example"], []) is None) == allowed, names
                    assert is_host_allowed("127.0.0.1"), "Streamlit knows of no names"
        finally:
            elsewhere.undo()
            config.get_config_options(force_reparse=True)


@pytest.mark.parametrize(
    ("hosts", "origins", "said"),
    [
        ([], [], "The request does not say which server it wants (allowed: one Host header"),
        ([""], [], "The request does not say which server it wants"),
        (["localhost", "x"], [], "Host: 'localhost, x' is not one name"),
        (["user@localhost"], [], "Host: 'user@localhost' is not one name"),
        (["localhost"], ["null"], "Pages from 'null' may not use this server: that is not the address of a site."),
        (
            ["localhost"],
            ["file://"],
            "Pages from 'file://' may not use this server: that is not the address of a site.",
        ),
    ],
)
def test_a_refusal_recommends_nothing_that_would_not_help(hosts: list[str], origins: list[str], said: str) -> None:
    fault = refusal(hosts, origins) or ""
    assert fault.startswith(said)
    assert "allowedHosts" not in fault and "corsAllowedOrigins" not in fault


def test_two_hosts_or_origins_are_none() -> None:
    assert refusal(["localhost", "localhost"], []) and refusal([], [])
    assert refusal(["localhost"], ["http://localhost", "http://localhost"])


def test_a_name_is_allowed_with_a_star() -> None:
    config.set_option("server.allowedHosts", ["*"])
    assert refusal(["any.example"], ["http://any.example"]) is None
    assert refusal(["any.example"], ["http://evil.example"]), "the star lets names in, not pages of other sites"


@pytest.fixture
def port() -> Iterator[int]:
    """Behind a guard with low ceilings."""
    with listening(Guard(_app, Settings(streams=1, request_bytes=4096))) as port:
        yield port


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers every request; holds websockets, unless an origin came along, which Streamlit would compare once more."""
    if scope["type"] == "websocket":
        headers = Headers(scope=scope)
        await send({"type": "websocket.close"} if "origin" in headers else {"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
    else:
        await PlainTextResponse("fine")(scope, receive, send)


def test_a_refusal_is_a_page_for_people_and_a_line_for_programs(port: int) -> None:
    response, body = request(port, "/", {"Host": "evil.example", "Accept": "text/html"})
    assert response.status == 403 and response.headers["Content-Type"].startswith("text/html")
    assert b"does not answer to the name 'evil.example'" in body and b'allowedHosts = ["evil.example"]' in body
    _, body = request(port, "/", {"Host": "evil.example"})
    assert body.startswith(b"This server does not answer to the name 'evil.example'.") and b"\n" not in body
    _, body = request(port, "/", {"Host": "<b>evil.example", "Accept": "text/html"})
    assert b"<b>" not in body


def test_websockets_are_refused_like_pages(port: int) -> None:
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        with websocket(port, headers) as (status, text):
            assert status == 403 and "evil.example" in text
    with websocket(port, {"Origin": f"http://127.0.0.1:{port}"}) as (status, _):
        assert status == 101


def test_a_page_that_will_get_no_websocket_says_so_instead_of_streamlits_front_end(port: int) -> None:
    script = "/static/js/index.AbC.js"
    for name in ("Origin", "Referer"):
        response, body = request(
            port, script, {name: "https://lab.example/user/x/"[: None if name == "Referer" else 19]}
        )
        assert response.status == 200 and response.headers["Content-Type"].startswith("text/javascript")
        assert b"server.corsAllowedOrigins" in body and b"'https://lab.example'" in body
    for headers in ({}, {"Referer": f"http://127.0.0.1:{port}/inference"}, {"Referer": "http://["}):
        response, body = request(port, script, headers)
        assert response.status == 200 and (body == b"fine") == ("http://[" not in headers.values())


def test_what_is_too_long_is_refused(port: int) -> None:
    assert request(port, "/?a=" + "b" * 4000)[0].status == 200
    response, body = request(port, "/?a=" + "b" * 4096)
    assert (response.status, body) == (414, b"The address has 4099 bytes (allowed: PCVIZ_REQUEST_BYTES 4096)")
    response, body = request(port, "/", {"Cookie": "b" * 4096})
    assert response.status == 431 and b"(allowed: PCVIZ_REQUEST_BYTES 4096)" in body


@pytest.mark.parametrize(
    ("host", "proxies", "status", "most"),
    [("localhost", ("127.0.0.1/32",), 200, 17), ("localhost", (), 200, 1), ("evil.example", ("127.0.0.1/32",), 403, 0)],
)
def test_a_long_list_of_addresses_is_not_read_through(
    host: str, proxies: tuple[str, ...], status: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []
    monkeypatch.setattr(ceilings, "ip_address", lambda text: read.append(text) or ip_address(text))
    settings = Settings(proxies=tuple(map(ip_network, proxies)))
    headers = {"Host": host, "Accept": "text/html", "X-Forwarded-For": "," * 30_000 + "10.0.0.1"}
    with listening(Guard(_app, settings)) as port:
        assert request(port, "/", headers)[0].status == status
    assert len(read) <= most


def test_open_pages_have_a_ceiling(port: int) -> None:
    full = "1 pages are open (allowed: PCVIZ_STREAMS 1)"
    with websocket(port) as (status, _):
        assert status == 101
        with websocket(port) as (status, text):
            assert status == 429 and full in text
        response, body = request(port, "/", {"Accept": "text/html"})
        assert response.status == 429 and full in body.decode() and response.headers["Retry-After"] == "10"
        assert request(port, "/")[1] == b"fine", "what open pages ask for is still answered"
    wait_until(lambda: request(port, "/", {"Accept": "text/html"})[0].status == 200)


def test_streamlit_leaves_the_host_to_the_guard() -> None:
    config.set_option("server.allowedHosts", ["lab.example"])
    assert not is_host_allowed("192.168.1.5"), "as soon as a name is set"
    assert refusal(["192.168.1.5"], []) is None
    assert is_host_allowed("192.168.1.5")
