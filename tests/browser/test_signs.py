"""What is wrong with a training stands above its panels as long as it is so."""

from playwright.sync_api import Page, expect

from pcviz.experiment import Experiment
from pcviz.instruments.training.reading import signs
from tests.browser.fake_stream import FakeStream, train_values

NAN = float("nan")
NONE = {"unreached_since": NAN, "faint_since": NAN, "rising_since": NAN, "leaping_since": NAN}


def test_signs_come_and_go_with_what_they_tell(page: Page, fake: FakeStream, experiment: Experiment) -> None:
    fake.show(experiment, signs=signs(experiment))
    page.goto(fake.url)
    shown = page.locator(".pcviz-signs li")
    fake.state("running", 1)
    ill = {"unreached_since": 1.0, "unreached_layers": 4.0, "leaping_since": 2.0}
    fake.frame("train", 2, train_values(experiment, 2) | NONE | ill)
    expect(shown).to_have_count(2)
    depth = experiment.network.depth
    expect(shown.first).to_contain_text(f"Since step 1 the error does not reach 4 of {depth} layers")
    expect(shown.first).to_contain_text("dead or saturated")
    expect(shown.last).to_contain_text("Since step 2 weights move by more than 20 %")
    fake.frame("train", 3, train_values(experiment, 3) | NONE)
    expect(page.locator(".pcviz-signs")).to_be_hidden()
