"""The live panels follow what happens to runs and to their tab: states, new runs, streams that end and go on."""

import re

from playwright.sync_api import Browser, Page, expect

from pcviz.experiment import Experiment
from pcviz.glossary import GLOSSARY
from pcviz.instruments.training.reading import story
from tests.browser.fake_stream import BASELINE, CHILD, RUN, SECOND, FakeStream, train_values
from tests.browser.fed_panels import TRAIN_PANELS, drawn, eventually, train
from tests.browser.on_page import panel, plot


def test_without_a_run_panels_are_calm_and_say_what_to_do(page: Page, server: FakeStream) -> None:
    server.show(Experiment(), runs=())
    page.goto(server.url)
    for name in (*TRAIN_PANELS, "landscape"):
        expect(panel(page, name).locator(".main-svg").first).to_be_visible()
        expect(panel(page, name)).to_have_attribute("data-state", "idle")
        expect(panel(page, name).get_by_text("Press Train to begin.")).to_be_visible()
        expect(panel(page, name)).to_have_role("figure")
    assert not server.streams


def test_states_and_metrics_are_told(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    fake.state("compiling")
    expect(panel(page, "landscape").locator(".pcviz-waiting")).to_have_text(re.compile("follows once"))
    expect(panel(page, "landscape")).to_have_attribute("data-state", "compiling")
    train(fake, experiment, 1, 50)
    fake.state("paused", 50, message="worker restarted")
    for name in TRAIN_PANELS:
        expect(panel(page, name)).to_have_attribute("data-state", "paused")
    expect(page.get_by_role("status")).to_have_text("Paused on cpu: worker restarted")
    metrics = page.locator(".pcviz-metrics")
    expect(metrics).to_contain_text("50 / 200")
    expect(metrics).to_contain_text("16 / 16 expected")
    expect(metrics).to_contain_text(re.compile(r"Test accuracy\d+\.\d %"))
    expect(metrics).to_contain_text("up to 2×")
    assert page.locator(".pcviz-metrics progress").first.evaluate("(bar) => bar.value") == 0.25


def test_a_button_says_what_a_number_means(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    train(fake, experiment, 1, 3)
    said = page.locator(".pcviz-words :popover-open")
    for label in ("Energy left", "Time left"):
        ask = page.get_by_role("button", name=f"What is {label}?")
        ask.click()
        expect(said).to_contain_text(label)
        box, width = said.bounding_box(), page.evaluate("innerWidth")
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= width, "within the window"
    ask.click()
    expect(said).to_have_count(0)
    panel(page, "landscape").get_by_role("button", name="Full size").click()
    page.get_by_role("button", name="What is Energy off theory?").focus()
    page.keyboard.press("Enter")
    expect(said).to_contain_text(GLOSSARY["Energy off theory"].text)
    page.keyboard.press("Escape")
    expect(said).to_have_count(0)
    expect(panel(page, "landscape")).to_have_class(re.compile("pcviz-full"))
    page.keyboard.press("Escape")
    expect(panel(page, "landscape")).not_to_have_class(re.compile("pcviz-full"))


def test_fingers_reach_the_explanations(browser: Browser, fake: FakeStream) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(fake.url)
    ask = page.get_by_role("button", name="What is Test accuracy?")
    box = ask.bounding_box()
    assert box and box["width"] >= 44 and box["height"] >= 44
    page.touchscreen.tap(box["x"] + 22, box["y"] + 2)
    said = page.locator(".pcviz-words :popover-open")
    expect(said).to_contain_text("never trained on")
    told = said.bounding_box()
    assert told and told["x"] >= 0 and told["x"] + told["width"] <= 390
    context.close()


def test_a_new_generation_clears(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    train(fake, experiment, 1, 10)
    drawn(page, 10)
    fake.state("idle", 0, generation=1)
    for name in TRAIN_PANELS:
        expect(panel(page, name)).to_have_class(re.compile("pcviz-empty"))
    fake.frame("train", 11, train_values(experiment, 11))  # late, of the old generation
    fake.seq.clear()
    train(fake, experiment, 1, 2, generation=1)
    drawn(page, 2)
    assert plot(page, "energy-balance", "plot.data[0].x") == [1, 2]
    assert plot(page, "learning-curves", "plot.data[3].x") == [1, 2]


def test_a_new_run_keeps_the_nodes(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    train(fake, experiment, 1, 3)
    drawn(page, 3)
    page.evaluate("window.before = [...document.querySelectorAll('.pcviz-plot')]")
    fake.show(experiment, runs=(BASELINE,))
    page.evaluate("async () => window.remount(await (await fetch('/data')).json())")
    train(fake, experiment, 1, 1, run=BASELINE)
    drawn(page, 1)
    assert page.evaluate("window.before.every((node) => node.isConnected)")
    assert page.evaluate("document.querySelectorAll('.pcviz-plot').length") == 4
    fake.show(experiment, runs=(BASELINE,), options={"learning-curves": {"x": "epoch"}})
    page.evaluate("async () => window.remount(await (await fetch('/data')).json())")
    train(fake, experiment, 1, 2, run=BASELINE)
    drawn(page, 2)
    # A plot that leaves keeps its place until Plotly has finished with it.
    eventually(page, lambda: page.evaluate("window.before.filter((node) => node.isConnected).length") == 3)
    assert [s.get_attribute("data-panel") for s in page.locator("section").all()][-1] == "learning-curves"


def test_a_hidden_tab_closes_its_stream_and_goes_on_where_it_was(
    page: Page, fake: FakeStream, experiment: Experiment
) -> None:
    page.clock.install()
    page.goto(fake.url)
    train(fake, experiment, 1, 3)
    page.clock.run_for(2000)
    drawn(page, 3)
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', {configurable: true, value: hidden});"
    hide += "document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    train(fake, experiment, 4, 5)
    page.clock.run_for(31_000)
    eventually(page, lambda: (fake.open_streams, fake.kept) == (0, [f"runs={RUN}&keep=key"]))
    page.evaluate(hide, False)
    page.wait_for_timeout(300)
    page.clock.run_for(2000)
    drawn(page, 5)
    assert len(fake.streams) == 2 and fake.streams[1].endswith("after=3")
    assert plot(page, "energy-balance", "plot.data[0].x") == [1, 2, 3, 4, 5]


def test_a_tab_keeps_only_the_runs_that_it_was_given_tokens_of(
    page: Page, server: FakeStream, experiment: Experiment
) -> None:
    server.show(experiment, runs=(RUN, BASELINE), keep={})
    page.clock.install()
    page.goto(server.url)
    train(server, experiment, 1, 3)
    page.clock.run_for(2000)
    drawn(page, 3)
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', {configurable: true, value: hidden});"
    hide += "document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    page.clock.run_for(61_000)
    page.evaluate(hide, False)
    eventually(page, lambda: server.open_streams == 1)
    assert server.kept == []
    # The browser's key has come meanwhile: the stream begins anew where it was, and nothing is drawn again.
    page.evaluate("window.before = [...document.querySelectorAll('.pcviz-plot')]")
    page.evaluate("(data) => window.remount(data)", {**server.data, "keep": {BASELINE: "key"}})
    eventually(page, lambda: len(server.streams) == 3 and server.open_streams == 1)
    assert [query.partition("&after=")[::2] for query in server.streams[1:]] == [
        (f"runs={RUN}%2C{BASELINE}&keep=%2C", "3"),
        (f"runs={RUN}%2C{BASELINE}&keep=%2Ckey", "3"),
    ]
    train(server, experiment, 4, 4)
    page.clock.run_for(2000)
    drawn(page, 4)
    assert plot(page, "energy-balance", "plot.data[0].x") == [1, 2, 3, 4]
    assert page.evaluate("window.before.every((node) => node.isConnected)")
    page.evaluate(hide, True)
    page.clock.run_for(31_000)
    eventually(page, lambda: server.kept == [f"runs={BASELINE}&keep=key"])


def test_a_child_that_failed_is_reported_and_one_that_was_replaced_is_not(
    page: Page, fake: FakeStream, experiment: Experiment
) -> None:
    page.goto(fake.url)
    note = panel(page, "landscape").locator(".pcviz-note")
    fake.state("cancelled", run=CHILD, kind="training_plane", message="cancelled by its owner")
    train(fake, experiment, 1, 1)
    drawn(page, 1)
    expect(note).to_have_text("")
    fake.state("failed", run=SECOND, kind="training_plane", message="out of memory")
    expect(note).to_have_text("out of memory")


def test_end_and_clean_up(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    page.goto(fake.url)
    train(fake, experiment, 1, 1)
    fake.state("done", 1)
    drawn(page, 1)
    fake.send("end")
    expect(panel(page, "landscape")).to_have_attribute("data-state", "done")
    eventually(page, lambda: fake.open_streams == 0)
    page.evaluate("window.unmount()")
    assert page.locator(".pcviz-live").count() == 0


def test_a_sentence_says_what_happens(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    fake.show(experiment, story=story(experiment))
    page.goto(fake.url)
    sentence = page.locator(".pcviz-story")
    expect(sentence).to_have_text("Press Train: 16 layers learn handwritten digits by predictive coding.")
    fake.state("compiling")
    expect(sentence).to_contain_text("Compiling")
    train(fake, experiment, 1, 3)
    fake.state("running", 3)
    expect(sentence).to_contain_text(
        re.compile(r"^Training: after 3 of 200 weight steps; at the last test \d+ % of the test set was right")
    )
    fake.state("diverged", 3)
    expect(sentence).to_contain_text("Diverged: the energy is no longer finite after weight step 3.")
    assert sentence.evaluate("(p) => getComputedStyle(p).borderLeftWidth") == "6px", "loud"
