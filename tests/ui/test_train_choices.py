"""What the Train page shows, and the controls in the headers of its panels."""

from typing import Any

import pytest

from pcviz.experiment import from_paths
from pcviz.instruments.training import view


class SessionState(dict[str, Any]):
    """Of Streamlit: its keys are attributes too."""

    __getattr__, __setattr__ = dict.__getitem__, dict.__setitem__  # type: ignore[assignment]


MOONS = from_paths({"data.name": "moons", "network.depth": 3})


def options(**changes: Any) -> view.Options:
    return view.Options(**view.DEFAULTS | changes)


def test_a_control_stands_in_the_panel_that_it_changes() -> None:
    choices = options(surface="boundary").choices(MOONS, watched=False)
    assert [choice.key for choice in choices["decision-boundary"]] == ["surface"]
    assert list(choices["decision-boundary"][0].options or {}) == ["landscape", "energy", "boundary"]
    choices = options().choices(from_paths({}), watched=False)
    assert [choice.key for choice in choices["landscape"]] == ["surface", "directions"]
    assert "boundary" not in (choices["landscape"][0].options or {}), "digits have no plane"
    assert [choice.key for choice in choices["learning-curves"]] == ["x_axis", "smoothing", "log_scale"]


def test_a_network_without_theory_of_the_energy_shows_its_loss_only(monkeypatch: pytest.MonkeyPatch) -> None:
    residual = from_paths({"network.architecture": "residual", "inference.precision_schedule": "spiking"})
    (surface, _) = options().choices(residual, watched=False)["landscape"]
    assert list(surface.options or {}) == ["landscape"]
    state = SessionState(surface="energy", had_boundary=False)
    monkeypatch.setattr("streamlit.session_state", state)
    assert view.chosen(residual, None).surface == "landscape"


@pytest.mark.parametrize("watched", [False, True])
def test_who_watches_cannot_change_what_is_computed(watched: bool) -> None:
    disabled = {
        choice.key: choice.disabled for made in options().choices(MOONS, watched=watched).values() for choice in made
    }
    assert disabled == {
        "surface": watched,
        "directions": watched,
        "x_axis": False,
        "smoothing": False,
        "log_scale": False,
    }


def test_a_choice_is_taken_over_if_it_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, Any] = {}
    monkeypatch.setattr("streamlit.session_state", state)
    for key, value in [("x_axis", "epoch"), ("log_scale", False), ("smoothing", 30), ("directions", "random")]:
        view.choose({"key": key, "value": value})
    for key, value in [("x_axis", "moon"), ("runs", {}), ("smoothing", -1), (None, None)]:
        view.choose({"key": key, "value": value})
    assert state == {"x_axis": "epoch", "log_scale": False, "smoothing": 30, "directions": "random"}


def test_only_what_is_shown_is_computed() -> None:
    assert list(options(shown_panels=["learning-curves"]).children) == []
    assert list(options(shown_panels=["network"]).children) == ["network"]
    assert options(surface="energy").children["training_plane"] == {"directions": "pca", "surface": "energy"}
    assert options(shown_panels=["surface", "network"], surface="boundary").panels == ["network", "decision-boundary"]
