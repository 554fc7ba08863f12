"""Two people with a browser each on one shared server: what belongs to Anna, Ben may watch and nothing else."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from pcviz.engine.access import digest, token
from pcviz.engine.client import Client
from pcviz.experiment import from_paths
from pcviz.store import Store, UnknownRun
from pcviz.store.tables import runs
from tests.browser.by_hand import by_hand
from tests.browser.on_page import LONG, button, panel, state, step, wait_for
from tests.browser.proxy import Proxy, proxied
from tests.browser.serve import App, running_app

BUTTONS = ("play", "pause", "step", "reset", "cancel", "pin")
WATCHING = "You are watching the run of another user."
REFUSED = "This run belongs to somebody else"
WISHES = ("id", "owner", "control", "wanted", "allowed_until_step", "generation", "snapshot_wanted", "pinned")
ANNA, BEN, CLARA = "a" * 64, "b" * 64, "c" * 64
"""What their browsers hold."""
MOVING = from_paths({"network.depth": 6, "network.width": 16, "learning.steps": 100_000})


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

    def opened(address: str, key: str = "", script: str = "") -> Page:
        contexts.append(browser.new_context(base_url=shared.url))
        held = f"if (!localStorage.getItem('pcviz.owner:/')) localStorage.setItem('pcviz.owner:/', '{key}');"
        contexts[-1].add_init_script(held if key else script)
        page = contexts[-1].new_page()
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()


class Annas:
    """What is Anna's: a training under way, one that waits and is open in no tab, a surface and a relaxation. `refused`
    are Ben's attempts so far, after each of which everything was as before."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.run = client.start(MOVING, "s", ANNA)
        self.child = client.add_child(self.run, "training_plane", {"directions": "pca"}, ANNA)
        self.waiting = client.start(MOVING, "s", ANNA, wanted="paused")
        self.surface, self.relaxation = (client.look(kind, MOVING, {}, "s", ANNA) for kind in ("plane", "relax"))
        self.refused: list[str] = []
        self._before = self._wishes()

    def unchanged(self, attempt: str) -> None:
        """Nothing is other than it was, after Ben's attempt."""
        assert self._wishes() == self._before, attempt
        self.refused.append(attempt)

    def _wishes(self) -> list[tuple[Any, ...]]:
        """What the runs and their children should do, and which there are."""
        found = self.client.store.reader.families([self.run, self.waiting, self.surface, self.relaxation])
        return [tuple(getattr(record, name) for name in WISHES) for record in found]


@pytest.fixture
def annas(client: Client) -> Iterator[Annas]:
    annas = Annas(client)
    yield annas
    for run in (annas.run, annas.waiting, annas.surface, annas.relaxation):
        client.cancel(run, ANNA)


def train(page: Page) -> str:
    """Start a run on the page as soon as that is possible; its id."""
    expect(button(page, "play")).to_be_enabled(timeout=60_000)
    button(page, "play").click()
    page.wait_for_url(re.compile("run=[0-9a-f]{32}"), timeout=60_000)
    wait_for(page, lambda: step(page) > 0, seconds=90)
    return re.findall("run=([0-9a-f]{32})", page.url)[0]


def key_of(page: Page, folder: str = "/") -> str:
    """What this browser holds for the server in this folder of the address."""
    return str(page.evaluate(f"localStorage.getItem('pcviz.owner:{folder}')"))


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


@pytest.mark.slow
def test_servers_below_one_name_get_keys_of_their_own(visit: Callable[..., Page], client: Client, shared: App) -> None:
    keys = {}
    with proxied(Proxy(shared.port, "/user/anna/")) as proxy:
        page = visit(f"{proxy.url()}?{LONG}")
        for prefix in ("/user/anna/", "/user/ben/"):  # for a browser another server
            proxy.prefix = prefix
            page.goto(f"{proxy.url()}?{LONG}")
            run = train(page)
            keys[prefix] = key_of(page, prefix)
            assert client.get(run).owner == digest(keys[prefix])
            button(page, "cancel").click()
            wait_for(page, lambda: state(page) == "cancelled")
        assert len(set(keys.values())) == 2
        names = page.evaluate("Object.keys(localStorage)")
        assert [name for name in names if name.startswith("pcviz") and not name.endswith(tuple(keys))] == []


def test_a_browser_that_stores_nothing_steers_as_long_as_its_tab_is_open(visit: Callable[..., Page]) -> None:
    blocked = """for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name,
      { get() { throw new DOMException("denied", "SecurityError"); } });"""
    page = visit(f"/?{LONG}", script=blocked)
    train(page)
    expect(page.get_by_text("you steer your runs as long as this tab is open")).to_be_visible()
    button(page, "cancel").click()
    wait_for(page, lambda: state(page) == "cancelled")


def test_ben_steers_nothing_by_page(visit: Callable[..., Page], annas: Annas) -> None:
    ben = visit(f"/?run={annas.run}", BEN)
    expect(ben.get_by_text(WATCHING)).to_be_visible(timeout=60_000)
    wait_for(ben, lambda: step(ben) > 0, seconds=90)
    for name in BUTTONS:
        shown = ben.locator(f".st-key-{name} button:visible")  # one with help is there twice, once for touch screens
        expect(shown).to_be_disabled()
        shown.dispatch_event("click")
        annas.unchanged(f"press {name}")
    for name in ("Space", "s", "x"):
        ben.keyboard.press(name)
        ben.wait_for_timeout(300)
        annas.unchanged(f"press the key {name}")
    for name in ("shows", "along"):
        choice = panel(ben, "landscape").get_by_label(name, exact=True)
        expect(choice).to_be_disabled()
        choice.evaluate("(list) => { list.value = '1'; list.dispatchEvent(new Event('change')); }")
        ben.wait_for_timeout(300)
        annas.unchanged(f"ask for another surface by {name}")
    expect(ben.get_by_text("control=")).to_have_count(0)
    annas.unchanged("read the control link")
    button(ben, "copy").click()
    expect(button(ben, "play")).to_be_enabled(timeout=60_000)
    expect(ben.locator(".st-key-network_depth input")).to_have_value("6")
    expect(ben).not_to_have_url(re.compile("run="))
    ben.goto(f"/?baseline={annas.run}")
    expect(button(ben, "overlay")).to_have_text(re.compile("Remove"), timeout=60_000)
    button(ben, "overlay").click()
    expect(button(ben, "overlay")).to_have_text(re.compile("Overlay"), timeout=60_000)
    annas.unchanged("end it as a baseline")
    assert len(annas.refused) == 13


@pytest.mark.slow
def test_ben_ends_no_look_and_finds_no_run_in_a_list(visit: Callable[..., Page], annas: Annas, client: Client) -> None:
    mine = client.start(MOVING, "s", BEN, allowed_until_step=1)
    ben = visit(f"/?run={mine}", BEN)
    wait_for(ben, lambda: client.get(mine).step > 0 and client.get(annas.run).step > 0, seconds=90)
    for page, run in (("landscape", annas.surface), ("inference", annas.relaxation)):
        ben.goto(f"/{page}?run={run}")
        expect(ben.get_by_text(WATCHING)).to_be_visible(timeout=60_000)
        for name in ("play", "cancel"):
            expect(button(ben, name)).to_be_disabled()
            button(ben, name).dispatch_event("click")
            annas.unchanged(f"press {name} on {page}")
    for page, view, widget in (("inference", None, "source"), ("landscape", "Curvature", "curved_source")):
        ben.goto(f"/{page}")
        if view:
            ben.get_by_role("radio", name=view).click(timeout=60_000)
        expect(button(ben, "play")).to_be_enabled(timeout=60_000)
        ben.locator(f".st-key-{widget} input").click()
        expect(ben.get_by_role("option").filter(has_text=mine[:4])).to_be_visible(timeout=60_000)
        assert not [text for text in ben.get_by_role("option").all_inner_texts() if annas.run[:4] in text]
        annas.unchanged(f"find it in the list of {page}")
    assert len(annas.refused) == 6


def test_ben_gets_nowhere_by_hand(annas: Annas, client: Client, shared: App) -> None:
    stored, mine = client.get(annas.run), client.start(MOVING, "s", BEN, wanted="paused")
    link = token(ANNA, annas.run)
    others = (token(ANNA, annas.waiting), token(BEN, mine), "0" * 64, link[:-1], link.upper())
    for wrong in (*others, stored.control, stored.owner):
        with by_hand(shared.url, "train", f"run={annas.run}&control={wrong}", BEN) as hand:
            assert "control: this link does not fit the run" in hand.said and WATCHING in hand.said
            hand.press(*BUTTONS)
            annas.unchanged("open a wrong control link and press everything")
    for claimed, links in ((stored.owner, {}), (BEN, {annas.run: stored.control}), (stored.control, {})):
        with by_hand(shared.url, "train", f"run={annas.run}") as hand:
            assert "until this browser has said who it is" in hand.said
            hand.press(*BUTTONS)
            annas.unchanged("press everything before anybody knows who it is")
            hand.bring(claimed, links)
            assert WATCHING in hand.said
            hand.press(*BUTTONS)
            annas.unchanged("claim to be Anna with what the store holds, and press everything")
    for claimed, sentence in ((BEN, REFUSED), ("", "has not said yet who it is")):
        with by_hand(shared.url, "landscape", f"run={annas.surface}", claimed) as hand:
            hand.pick("landscape", {"panel": "surface-loss", "x": 1, "y": 2})
            assert sentence in hand.said
            annas.unchanged("start a walk")
    unseen = client.get(annas.waiting).seen_at
    for shown in ("", "0" * 64, client.get(annas.waiting).control, token(BEN, annas.waiting)):
        query = f"runs={annas.waiting}&keep={shown}"
        refusal = f"keep: {REFUSED}: watching does not keep it going"
        assert answer(f"{shared.url}/live/keep?{query}", "POST") == (403, refusal)
        assert answer(f"{shared.url}/live/frames?{query}")[0] == 200
        assert client.get(annas.waiting).seen_at == unseen
        annas.unchanged("keep it from pausing")
    assert answer(f"{shared.url}/live/frames?runs=") == (400, "runs: 0 ids given (allowed: 1 to 64)")
    annas.unchanged("list runs by request")
    assert len(annas.refused) == 20
    with by_hand(
        shared.url, "train", f"run={annas.run}", ANNA
    ) as hand:  # for Anna the same messages do what they should
        hand.press("pause")
        hand.press("pin")
    assert client.get(annas.run).wanted == "paused" and client.get(annas.run).pinned


def test_ben_neither_deletes_nor_exports_by_hand(client: Client, shared: App) -> None:
    run = client.start(MOVING, "s", CLARA, wanted="paused")
    with client.store.database.writing() as connection:
        connection.execute(update(runs).where(runs.c.id == run).values(experiment_json='{"schema": 7}'))
    mine = {f"delete_{run}", f"export_{run}"}
    with by_hand(shared.url, "train", "", CLARA) as clara, by_hand(shared.url, "train", f"run={run}", BEN) as ben:
        assert mine <= clara.buttons.keys() and not mine & ben.buttons.keys()
        assert "cannot be read by this pcviz" in ben.said
        ben.buttons |= clara.buttons
        ben.press(*mine)
        assert client.get(run).unreadable
        clara.press(f"delete_{run}")  # the same message does what it should for her
        with pytest.raises(UnknownRun):
            client.get(run)


@pytest.mark.slow
def test_a_control_link_lets_ben_steer_and_leaves_his_address(visit: Callable[..., Page], annas: Annas) -> None:
    link = token(ANNA, annas.run)
    ben = visit(f"/?run={annas.waiting}", BEN)
    expect(ben.get_by_text(WATCHING)).to_be_visible(timeout=60_000)
    ben.goto(f"/?run={annas.run}&control={link}")
    expect(button(ben, "pause")).to_be_enabled(timeout=60_000)
    ben.reload()
    expect(button(ben, "pause")).to_be_enabled(timeout=60_000)
    assert link not in ben.url and annas.run in ben.url
    button(ben, "pause").click()
    wait_for(ben, lambda: state(ben) == "paused")
    copied = ben.url
    ben.go_back()
    assert link not in ben.url
    stranger = visit(copied)
    expect(stranger.get_by_text(WATCHING)).to_be_visible(timeout=60_000)
