"""Where people put the app: other names, base paths, proxies that strip a prefix, TLS in front, and who is refused."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.on_page import SMALL, button, panel, step, wait_for
from tests.browser.proxy import Proxy, proxied
from tests.browser.serve import App, running_app

PREFIX = "/user/x/proxy/8616/"


@pytest.fixture(scope="module")
def based(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app below a base path that other machines reach by a name."""
    options = ["--server.allowedHosts", "lab.example", "--server.address", "0.0.0.0"]
    with running_app(tmp_path_factory.mktemp("based"), *options, base="/lab/pcviz") as app:
        yield app


@pytest.fixture
def secure(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that puts up with the certificate of the tests."""
    context = browser.new_context(ignore_https_errors=True)
    yield context
    context.close()


def link(page: Page) -> str:
    """The link to the settings, as the page gives it."""
    page.locator(".st-key-configuration summary").click()
    text = page.locator(".st-key-configuration code").first.text_content() or ""
    page.locator(".st-key-configuration summary").click()
    return text


def play(page: Page) -> None:
    """Train, and see the panels follow."""
    expect(button(page, "play")).to_be_visible(timeout=60_000)
    expect(panel(page, "learning-curves").locator(".main-svg").first).to_be_visible(timeout=30_000)
    button(page, "play").click()
    wait_for(page, lambda: step(page) == 40)


def turn_to(page: Page, title: str, name: str) -> None:
    """Go to another page by its link, and see its panels."""
    page.get_by_test_id("stSidebarNavLink").filter(has_text=title).click()
    expect(panel(page, name).locator(".main-svg").first).to_be_visible(timeout=60_000)


def visit(page: Page, home: str) -> None:
    """All pages, switches and Back, links, a page opened by its own address; every address stays below `home`."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url.replace("ws", "http", 1)))
    page.goto(f"{home}?{SMALL.removeprefix('v=2&')}&data_name=moons&learning_steps=40")
    play(page)
    assert page.url.startswith(f"{home}train?"), "a link of the first release opens the Train page"
    trained = page.url
    shared = link(page)
    assert shared.startswith(f"{home}train?v=2&network_depth=6")

    turn_to(page, "Inference", "solver-race")
    button(page, "play").click()
    expect(panel(page, "solver-race")).to_have_attribute("data-state", re.compile("running|done"), timeout=90_000)
    assert page.url.startswith(f"{home}inference?")
    inference = link(page)
    assert inference.startswith(f"{home}inference?v=2&network_depth=6")
    turn_to(page, "Landscape", "surface-3d")
    page.go_back()
    assert urlsplit(page.url).path.endswith("/inference")
    expect(panel(page, "solver-race")).to_be_visible(timeout=30_000)

    page.goto(inference.replace("inference?", "inference/?"))  # as older links have it
    expect(panel(page, "solver-race").locator(".main-svg").first).to_be_visible(timeout=30_000)
    page.goto(trained)
    wait_for(page, lambda: step(page) == 40)
    assert page.locator(".pcviz-fault:visible").count() == 0
    assert not [address for address in asked if not address.startswith((home, "blob:", "data:"))]


@pytest.mark.slow
def test_below_a_base_path_by_a_name(page: Page, based: App) -> None:
    home = f"http://lab.example:{based.port}/lab/pcviz/"
    page.goto(home.rstrip("/"))
    expect(panel(page, "network")).to_be_visible(timeout=60_000)
    assert page.url.startswith(home)
    visit(page, home)


@pytest.mark.slow
def test_behind_a_proxy_that_strips_a_prefix(page: Page, app: App) -> None:
    with proxied(Proxy(app.port, PREFIX)) as proxy:
        visit(page, proxy.url())


def test_behind_tls_a_prefix_and_a_changed_host(secure: BrowserContext, based: App) -> None:
    page = secure.new_page()
    proxy = Proxy(based.port, PREFIX, below="/lab/pcviz/", host=f"127.0.0.1:{based.port}", tls=True)
    with proxied(proxy):
        visit(page, proxy.url("lab.example"))


def test_a_name_that_points_here_gets_nothing(page: Page, app: App, page_faults: list[str]) -> None:
    other = f"http://evil.example:{app.port}"
    answer = page.goto(f"{other}/?{SMALL}")
    assert answer and answer.status == 403
    expect(page.locator("body")).to_contain_text("does not answer to the name 'evil.example'")
    expect(page.locator("body")).to_contain_text('allowedHosts = ["evil.example"]')
    opened = """(address) => new Promise((done) => {
        const socket = new WebSocket(address, ["streamlit"]);
        socket.onopen = () => done("open");
        socket.onerror = () => done("refused");
    })"""
    socket = f"ws://evil.example:{app.port}/_stcore/stream"
    assert page.evaluate(opened, socket) == "refused"
    assert page.evaluate(opened, socket.replace("evil.example", "127.0.0.1")) == "refused", "another origin"
    status = "(address) => fetch(address).then((answer) => answer.status)"
    for path in ("/live/live.js", "/live/frames?runs=x", "/_stcore/health", "/static/js/x.js"):
        assert page.evaluate(status, other + path) == 403
    page.goto(f"{app.url}/?{SMALL}")
    assert page.evaluate(opened, f"ws://localhost:{app.port}/_stcore/stream") == "open"
    assert page_faults
    page_faults.clear()


def test_a_changed_host_that_nobody_allowed_is_said(page: Page, app: App, page_faults: list[str]) -> None:
    with proxied(Proxy(app.port, PREFIX, host=f"127.0.0.1:{app.port}")) as proxy:
        page.goto(proxy.url("lab.example"))
        expect(page.locator("body")).to_contain_text("add it to server.corsAllowedOrigins", timeout=30_000)
        expect(page.locator("body")).to_contain_text(f"http://lab.example:{proxy.port}")
    page_faults.clear()


@pytest.mark.parametrize(
    ("closed", "said"),
    [
        ("/live/live.js", r"The panels cannot be shown\. .*live/live\.js: 404"),
        ("/live/values.js", r"The panels cannot be shown\. .*live/values\.js: 404"),
        ("/live/plotly.js", r"The panels cannot be drawn\. .*live/plotly\.js: 404"),
        ("/live/frames", r"No live data\. .*live/frames: 404"),
    ],
)
def test_what_a_proxy_does_not_let_through_is_said(
    page: Page, app: App, page_faults: list[str], closed: str, said: str
) -> None:
    with proxied(Proxy(app.port, PREFIX, closed=(closed,))) as proxy:
        page.goto(f"{proxy.url()}?{SMALL}&learning_steps=40")
        expect(button(page, "play")).to_be_visible(timeout=60_000)
        if closed == "/live/frames":
            button(page, "play").click()
        alert = page.get_by_role("alert").filter(has_text=re.compile(said))
        expect(alert).to_be_visible(timeout=30_000)
        expect(alert).to_contain_text(f"Everything below {PREFIX} must reach pcviz: check server.baseUrlPath")
    page_faults.clear()


def test_a_blocked_script_is_said(page: Page, app: App, page_faults: list[str]) -> None:
    page.route("**/live/live.js", lambda route: route.abort("blockedbyclient"))
    page.goto(f"{app.url}/?{SMALL}")
    expect(page.get_by_role("alert")).to_contain_text("/live/live.js: no answer", timeout=60_000)
    page_faults.clear()


def test_an_open_server_says_who_controls_runs(page: Page, based: App, app: App) -> None:
    sentence = "Other machines can reach this server: only the browser that started a run controls it."
    page.goto(based.url)
    expect(page.get_by_test_id("stSidebar").get_by_text(sentence)).to_be_visible(timeout=60_000)
    assert sentence in based.log.read_text()
    page.goto(app.url)
    expect(panel(page, "network")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("can reach this server")).to_have_count(0)
    assert "can reach this server" not in app.log.read_text()


def test_a_full_server_says_so(page: Page, tmp_path: Path, chromium: Path, page_faults: list[str]) -> None:
    with running_app(tmp_path, PCVIZ_STREAMS="1") as app:
        page.goto(f"{app.url}/?{SMALL}&learning_steps=40")
        play(page)
        second = page.context.new_page()
        second.goto(f"{app.url}/?{urlsplit(page.url).query}")
        expect(second.locator("body")).to_contain_text("1 pages are open (allowed: PCVIZ_STREAMS 1)", timeout=30_000)
    page_faults.clear()
