"""Two people with a browser each on one shared server: what belongs to Anna, Ben may watch and nothing else."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from pcviz.engine.access import digest, token
from pcviz.engine.client import Client
from pcviz.experiment import from_paths
from pcviz.store import Store
from tests.browser.by_hand import by_hand
from tests.browser.serve import App, running_app
from tests.browser.test_train_page import LONG, button, state, step, wait_for

BUTTONS = ("play", "pause", "step", "reset", "cancel")
WATCHING = "You watch a run of somebody else."
REFUSED = "This run belongs to somebody else"
WISHES = ("id", "owner", "control", "wanted", "allowed_until_step", "generation", "snapshot_wanted", "pinned")
SMALL = from_paths({"network.depth": 6, "network.width": 16, "seed": 3})


@pytest.fixture(scope="module")
def shared(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with running_app(tmp_path_factory.mktemp("shared"), PCVIZ_SHARED="1") as app:
        yield app


@pytest.fixture
def client(shared: App) -> Client:
    """The runs of the app."""
    return Client(Store(shared.database), shared=True)


@pytest.fixture
def visit(browser: Browser, shared: App) -> Iterator[Callable[..., Page]]:
    """Open a page in a browser of its own."""
    contexts = []

    def opened(address: str, script: str = "") -> Page:
        contexts.append(browser.new_context(base_url=shared.url))
        contexts[-1].add_init_script(script)
        page = contexts[-1].new_page()
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()


def train(page: Page) -> str:
    """Start a run on the page as soon as that is possible; its id."""
    expect(button(page, "play")).to_be_enabled(timeout=60_000)
    button(page, "play").click()
    page.wait_for_url(re.compile("run=[0-9a-f]{32}"), timeout=60_000)
    wait_for(page, lambda: step(page) > 0, seconds=90)
    return re.findall("run=([0-9a-f]{32})", page.url)[0]


def key_of(page: Page) -> str:
    """What this browser holds."""
    return str(page.evaluate("localStorage.getItem('pcviz.owner')"))


def wishes(client: Client, runs: list[str]) -> list[tuple[Any, ...]]:
    """What the runs and their children should do, and how many there are."""
    return [tuple(getattr(run, name) for name in WISHES) for run in client.store.reader.families(runs)]


def answer(url: str, method: str = "GET") -> tuple[int, str]:
    """Status and text of a request."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as response:
            return response.status, response.readline().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_reload_keeps_control_and_the_store_does_not_hold_the_key(visit: Callable[..., Page], client: Client) -> None:
    anna = visit(f"/?{LONG}")
    run = train(anna)
    anna.reload()
    expect(button(anna, "pause")).to_be_enabled(timeout=60_000)
    button(anna, "pause").click()
    wait_for(anna, lambda: state(anna) == "paused")
    assert client.get(run).owner == digest(key_of(anna))
    other = anna.context.new_page()  # another tab of the same browser
    other.goto(f"/?run={run}")
    expect(button(other, "cancel")).to_be_enabled(timeout=60_000)
    button(other, "cancel").click()
    wait_for(other, lambda: state(other) == "cancelled")


def test_a_browser_that_stores_nothing_steers_as_long_as_its_tab_is_open(visit: Callable[..., Page]) -> None:
    blocked = """for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name,
      { get() { throw new DOMException("denied", "SecurityError"); } });"""
    page = visit(f"/?{LONG}", blocked)
    train(page)
    expect(page.get_by_text("you steer your runs as long as this tab is open")).to_be_visible()
    button(page, "cancel").click()
    wait_for(page, lambda: state(page) == "cancelled")


def test_what_is_annas_stays_annas(visit: Callable[..., Page], client: Client, shared: App) -> None:
    anna = visit(f"/?{LONG}")
    run = train(anna)
    key = key_of(anna)
    looks = {kind: client.look(kind, SMALL, {}, "s", key) for kind in ("surface", "relax")}
    waiting = client.start(SMALL, "s", key, wanted="paused")  # open in no tab
    theirs = [run, *looks.values(), waiting]
    ben = visit(f"/?{LONG}&network_activation=tanh")
    mine = train(ben)
    button(ben, "cancel").click()
    before, unseen = wishes(client, theirs), client.get(waiting).seen_at
    refused: list[str] = []

    def note(attempt: str) -> None:
        assert wishes(client, theirs) == before, attempt
        refused.append(attempt)

    # By page: steering.
    ben.goto(f"/?run={run}")
    expect(ben.get_by_text(WATCHING)).to_be_visible(timeout=60_000)
    wait_for(ben, lambda: step(ben) > 0)
    for name in BUTTONS:
        expect(button(ben, name)).to_be_disabled()
        button(ben, name).dispatch_event("click")
        note(f"press {name}")
    for name in ("Space", "s", "x"):
        ben.keyboard.press(name)
        ben.wait_for_timeout(300)
        note(f"press the key {name}")
    for name in ("F*", "random"):
        ben.get_by_role("radio", name=name).dispatch_event("click")
        ben.wait_for_timeout(300)
        note(f"ask for the surface {name}")
    expect(ben.get_by_text("control=")).to_have_count(0)
    note("read the control link")
    ben.goto(f"/?run={mine}&baseline={run}")
    expect(button(ben, "overlay")).to_have_text(re.compile("Remove"), timeout=60_000)
    button(ben, "overlay").click()
    expect(button(ben, "overlay")).to_have_text(re.compile("Overlay"))
    note("end it as a baseline")

    # By page: looks, and lists.
    for page, kind in (("landscape", "surface"), ("inference", "relax")):
        ben.goto(f"/{page}?run={looks[kind]}")
        expect(ben.get_by_text(WATCHING)).to_be_visible(timeout=60_000)
        for name in ("play", "cancel"):
            expect(button(ben, name)).to_be_disabled()
            button(ben, name).dispatch_event("click")
            note(f"press {name} on {page}")
    for page, view, widget in (("inference", None, "source"), ("landscape", "Curvature", "curved_source")):
        ben.goto(f"/{page}")
        if view:
            ben.get_by_role("radio", name=view).click(timeout=60_000)
        expect(button(ben, "play")).to_be_enabled(timeout=60_000)
        ben.locator(f".st-key-{widget} input").click()
        expect(ben.get_by_role("option").filter(has_text=mine[:4])).to_be_visible()
        expect(ben.get_by_role("option")).to_have_count(2)
        note(f"find it in the list of {page}")

    # By address: links that do not fit.
    button(anna, "pause").click()
    wait_for(anna, lambda: state(anna) == "paused")
    before = wishes(client, theirs)
    link, stored, own = token(key, run), client.get(run), key_of(ben)
    ben.goto(f"/?run={run}&control={token(key, waiting)}")
    expect(ben.get_by_text("control: this does not fit the run")).to_be_visible(timeout=60_000)
    expect(button(ben, "step")).to_be_disabled()
    note("open the control link of another run")
    for wrong in ("0" * 64, stored.control, stored.owner, token(own, mine), link[:-1], link.upper()):
        with by_hand(shared.url, "", f"run={run}&control={wrong}", own) as hand:
            assert "control: this does not fit the run" in hand.said and WATCHING in hand.said
            hand.press(*BUTTONS)
            note("open a wrong control link")

    # By messages that no browser sends.
    for claimed, links in ((stored.owner, {}), (own, {run: stored.control}), (stored.control, {run: stored.owner})):
        with by_hand(shared.url, "", f"run={run}") as hand:
            assert "until this browser has said who it is" in hand.said
            hand.press(*BUTTONS)
            hand.bring(claimed, links)
            assert WATCHING in hand.said
            hand.press(*BUTTONS)
            note("claim to be Anna with what the store holds, and press everything")
    point = {"panel": "surface-loss", "x": 1, "y": 2}
    for claimed, sentence in ((own, REFUSED), ("", "has not said yet who it is")):
        with by_hand(shared.url, "landscape", f"run={looks['surface']}", claimed) as hand:
            hand.pick("landscape", point)
            assert sentence in hand.said
            note("start a walk")

    # By request: keep it going.
    for shown in ("", "0" * 64, client.get(waiting).control, token(key_of(ben), waiting)):
        status, text = answer(f"{shared.url}/live/keep?runs={waiting}&keep={shown}", "POST")
        assert (status, text) == (403, f"keep: {REFUSED}: watching does not keep it going")
        assert answer(f"{shared.url}/live/frames?runs={waiting}&keep={shown}")[0] == 200
        assert client.get(waiting).seen_at == unseen
        note("keep it from pausing")
    assert answer(f"{shared.url}/live/frames?runs=") == (400, "runs: 0 ids given (allowed: 1 to 64)")
    note("list runs by request")
    assert len(refused) >= 20, refused

    # What Ben may: copy, and steer what he was given the link of.
    ben.goto(f"/?run={run}")
    button(ben, "copy").click(timeout=60_000)
    expect(button(ben, "play")).to_be_enabled(timeout=60_000)
    expect(ben.locator(".st-key-network_depth input")).to_have_value("6")
    assert "run=" not in ben.url
    ben.goto(f"/?run={run}&control={link}")
    expect(button(ben, "step")).to_be_enabled(timeout=60_000)
    assert link not in ben.url and run in ben.url
    ben.reload()
    expect(button(ben, "step")).to_be_enabled(timeout=60_000)
    button(ben, "play").click()
    wait_for(ben, lambda: state(ben) == "running")
    button(ben, "pause").click()
    wait_for(ben, lambda: state(ben) == "paused")
    ben.go_back()
    assert link not in ben.url
    stranger = visit(ben.url)
    expect(stranger.get_by_text(WATCHING)).to_be_visible(timeout=60_000)
    expect(button(anna, "play")).to_have_text(re.compile("Resume"))
    button(anna, "cancel").click()
    wait_for(anna, lambda: state(anna) == "cancelled")
