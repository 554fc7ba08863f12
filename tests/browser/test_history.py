"""Back, Forward, reload and several tabs: address, form and run always say the same, on all pages; and these look at
the network that was just trained."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Route, WebSocketRoute, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pcviz.ui.detail import COOKIE
from tests.browser.on_page import SMALL, button, panel, state, unfold, wait_for
from tests.browser.serve import App

SEED = ".st-key-seed input"
PANELS = {"train": "learning-curves", "inference": "solver-race", "landscape": "surface-loss"}


@pytest.fixture(autouse=True)
def form_with_all_fields(context: BrowserContext, app: App) -> None:
    """The browser remembers that the form shows all its fields."""
    context.add_cookies([{"name": COOKIE, "value": "all", "url": app.url}])


def turn_to(page: Page, title: str) -> None:
    page.get_by_test_id("stSidebarNavLink").filter(has_text=title).click()
    shows(page, title.lower())


def where(page: Page) -> str:
    return urlsplit(page.url).path.strip("/")


def shows(page: Page, path: str) -> None:
    """The page is there, and has heard that Back is to be marked."""
    wait_for(page, lambda: where(page) == path)
    expect(panel(page, PANELS[path])).to_be_visible(timeout=30_000)
    expect(page.locator(".st-key-configuration")).to_be_visible(timeout=30_000)
    page.wait_for_function("window.pcvizHistory")


def seed(page: Page) -> str:
    return page.locator(SEED).input_value()


def answered(page: Page) -> None:
    """The server has answered everything: an answer under way to Back or Forward would set the form's fields again."""
    wait_for(page, lambda: "back=" not in page.url)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def set_seed(page: Page, value: int) -> None:
    answered(page)
    unfold(page, "run")
    field = page.locator(SEED)
    field.fill(str(value))
    field.press("Enter")
    wait_for(page, lambda: parse_qs(urlsplit(page.url).query).get("seed") == [str(value)])


def addressed(page: Page) -> list[str]:
    """The seed in the address, or the default, which it leaves out."""
    return parse_qs(urlsplit(page.url).query).get("seed", ["0"])


def run(page: Page) -> str:
    return (parse_qs(urlsplit(page.url).query).get("run") or [""])[0]


def agrees(page: Page, path: str, value: str, shown: str) -> None:
    """Address, form and run, as soon as the page has come."""
    shows(page, path)
    wait_for(page, lambda: (seed(page), addressed(page), run(page)) == (value, [value], shown))


def in_place(page: Page) -> list[bool]:
    """For each other entry of the history, whether Back or Forward reaches it without loading a document."""
    entries = "navigation.entries().filter((entry) => entry.index !== navigation.currentEntry.index)"
    return page.evaluate(f"{entries}.map((entry) => entry.sameDocument)")


def play(page: Page) -> str:
    before = run(page)
    button(page, "play").click()
    wait_for(page, lambda: run(page) not in ("", before) and state(page, PANELS[where(page)]) == "done", 90)
    return run(page)


def test_back_and_forward_through_all_pages(page: Page, app: App) -> None:
    page.goto(f"/?{SMALL}&learning_steps=20")
    shows(page, "train")
    trained = play(page)
    length = page.evaluate("history.length")
    turn_to(page, "Inference")
    wait_for(page, lambda: "seed=3" in page.url)
    page.wait_for_timeout(500)
    assert page.evaluate("history.length") == length + 1, "a switch of pages is one entry"
    relaxed = play(page)
    set_seed(page, 5)
    turn_to(page, "Landscape")
    agrees(page, "landscape", "5", "")
    page.go_back()
    agrees(page, "inference", "5", relaxed)
    page.go_back()
    agrees(page, "inference", "3", relaxed)
    page.go_back()
    agrees(page, "inference", "3", "")
    page.go_back()
    agrees(page, "train", "3", trained)
    assert state(page) in ("done", "idle")
    page.go_forward()
    agrees(page, "inference", "3", "")
    page.go_forward()
    agrees(page, "inference", "3", relaxed)
    wait_for(page, lambda: "back=" not in page.url)
    page.reload()
    agrees(page, "inference", "3", relaxed)
    assert all(in_place(page)), "Back and Forward load no document"
    page.go_forward()
    agrees(page, "inference", "5", relaxed)
    # After Back the page is as usable as before.
    set_seed(page, 7)
    agrees(page, "inference", "7", relaxed)
    # Faster than the server answers, which must not make entries of addresses that were left.
    page.evaluate("history.back(); setTimeout(() => history.back(), 100)")
    wait_for(page, lambda: "seed=3" in page.url)
    agrees(page, "inference", "3", relaxed)
    page.evaluate("history.forward(); setTimeout(() => history.forward(), 100)")
    wait_for(page, lambda: "seed=7" in page.url)
    agrees(page, "inference", "7", relaxed)
    assert "acknowledged" not in page.url


@pytest.mark.slow
def test_a_reload_before_the_server_has_answered_back(page: Page, app: App) -> None:
    """The answer changes the address while the document is on its way. Chromium then takes the reload for another
    document, so that Back and Forward load theirs: they lead to the same places, only slower."""
    page.goto(f"/inference?{SMALL}")
    shows(page, "inference")
    set_seed(page, 5)
    set_seed(page, 7)
    page.go_back()
    wait_for(page, lambda: "back=" in page.url and "seed=5" in page.url)

    def hold(route: Route) -> None:
        wait_for(page, lambda: "back=" not in page.url)
        route.continue_()

    page.route(lambda url: urlsplit(url).path == "/inference", hold, times=1)
    page.reload()
    agrees(page, "inference", "5", "")
    assert not any(in_place(page)), "the case that this is about"
    page.go_back()
    agrees(page, "inference", "3", "")
    page.go_forward()
    agrees(page, "inference", "5", "")
    page.go_forward()
    agrees(page, "inference", "7", "")


def test_a_form_that_was_edited_after_its_run_comes_back_as_it_was(page: Page, app: App) -> None:
    """Seed 0 is the default, which an address leaves out: it must not become that of the run."""
    page.goto(f"/?{SMALL}&learning_steps=20")
    shows(page, "train")
    trained = play(page)
    answered(page)
    unfold(page, "run")
    page.locator(SEED).fill("0")
    page.locator(SEED).press("Enter")
    wait_for(page, lambda: "seed" not in page.url)
    page.reload()
    agrees(page, "train", "0", trained)
    turn_to(page, "Inference")
    page.go_back()
    agrees(page, "train", "0", trained)


def test_an_address_that_comes_before_its_page_is_that_of_the_page(page: Page, app: App) -> None:
    """Streamlit drops the message that turns to a page, if the script runs again before it is sent; the address of the
    page, which is sent after it, stays. It would replace what the page before has in its address."""
    held: list[bytes] = []
    turned: list[str] = []

    def hold(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            assert isinstance(message, bytes)
            kind = ForwardMsg.FromString(message).WhichOneof("type")
            if kind == "navigation" and turned == ["asked"]:
                held.append(message)
                return
            socket.send(message)
            if kind == "page_info_changed" and held:
                turned.append("answered")
                socket.send(held.pop())

        server.on_message(pass_on)

    page.route_web_socket("**/_stcore/stream", hold)
    page.goto(f"/?{SMALL}&learning_steps=20")
    shows(page, "train")
    trained = play(page)
    answered(page)
    length = page.evaluate("history.length")
    turned.append("asked")
    turn_to(page, "Inference")
    assert turned == ["asked", "answered"]
    agrees(page, "inference", "3", "")
    assert page.evaluate("history.length") == length + 1
    assert "page=" not in page.url
    page.go_back()
    agrees(page, "train", "3", trained)


@pytest.mark.slow
def test_three_tabs_keep_to_themselves(page: Page, app: App) -> None:
    context: BrowserContext = page.context
    tabs = [page, context.new_page(), context.new_page()]
    for number, tab in enumerate(tabs):
        tab.goto(f"{app.url}/?network_depth=6&network_width=16&learning_steps=20&seed={10 + number}")
        shows(tab, "train")
    trained = [play(tab) for tab in tabs]
    for tab in tabs:
        turn_to(tab, "Inference")
    for number, tab in enumerate(tabs):
        agrees(tab, "inference", str(10 + number), "")
        tab.go_back()
    for number, (tab, shown) in enumerate(zip(tabs, trained, strict=True)):
        agrees(tab, "train", str(10 + number), shown)


@pytest.mark.slow
def test_pages_look_at_what_was_just_trained_until_the_form_is_edited(page: Page, app: App) -> None:
    page.goto(f"/?{SMALL}&learning_steps=20")
    shows(page, "train")
    play(page)
    turn_to(page, "Inference")
    network = page.get_by_role("combobox", name="Network")
    expect(network).to_have_value(re.compile("relu 6 × 16, step 20"), timeout=20_000)
    play(page)
    expect(page.get_by_text("The panels show: run of")).to_contain_text("relu 6 × 16, step 20")
    turn_to(page, "Landscape")
    expect(page.locator(".st-key-plane_step input")).to_have_value("20", timeout=20_000)
    turn_to(page, "Inference")
    set_seed(page, 4)
    expect(network).to_have_value("the form's network", timeout=20_000)
    expect(page.get_by_text("The panels show: run of")).to_contain_text("step 20")
    turn_to(page, "Landscape")
    expect(page.locator(".st-key-plane_step input")).to_have_value("0", timeout=20_000)
    # Another training is followed again.
    turn_to(page, "Train")
    set_seed(page, 3)
    play(page)
    turn_to(page, "Inference")
    expect(network).to_have_value(re.compile("relu 6 × 16, step 20"), timeout=20_000)
