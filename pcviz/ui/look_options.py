"""Options of looks: from an address into the widgets, and back into an address."""

from typing import Any

import streamlit as st

from pcviz.store import RunRecord
from pcviz.ui import inputs, url, widgets
from pcviz.ui.instruments import INSTRUMENTS, on

OPTIONS = {key: made.model.model_fields[name] for made in INSTRUMENTS.values() for key, name in made.fields.items()}
"""Key of a widget -> its option."""


def view_key(page: str) -> str:
    """Key of the widget that chooses the view of a page with several looks."""
    return f"{page}_view"


def viewed_key(page: str) -> str:
    """Where the session keeps the view chosen: Streamlit forgets widgets of pages that were left."""
    return f"{page}_viewed"


def adopt(page: str, state: url.State) -> None:
    """Remember the options in the address of a page until the widgets of its looks are drawn."""
    st.session_state.setdefault("brought", {}).update(state.options)
    for key in ("taken_over", "viewed_run"):  # the run's options and view count again
        st.session_state.pop(key, None)
    if len(on(page)) > 1:
        widgets.put({view_key(page): state.view or next(iter(on(page)))})


def given(kind: str, opened: RunRecord | None) -> tuple[dict[str, Any] | None, bool]:
    """(the values that the widgets of a kind of look take over, None: they keep theirs; whether an address or a run has
    any). `opened` is a run that was opened just now, whose options fill in what the address leaves out."""
    found = st.session_state.get("brought", {}).get(kind)
    if opened is None and found is None:
        return None, False
    return _base(kind, opened) | (found or {}), opened is not None or bool(found)


def taken(kind: str) -> None:
    """Note that the widgets of a kind of look have taken over the options of the address."""
    st.session_state.get("brought", {}).pop(kind, None)


def keep(kind: str, brought: dict[str, Any] | None = None) -> None:
    """Restore the widgets of a kind of look before they are drawn: Streamlit forgets those of a page that was left, so
    their values come from `kept`; `brought` values override them."""
    kept = st.session_state.setdefault("kept", {})
    kept[kind] = kept.get(kind, INSTRUMENTS[kind].defaults) | (brought or {})
    if brought is not None:
        widgets.put(kept[kind])
    for key, value in kept[kind].items():
        st.session_state.setdefault(key, value)


def current(kind: str) -> dict[str, Any]:
    """Remember what the widgets hold, after they were drawn, and return it as options."""
    instrument = INSTRUMENTS[kind]
    kept = st.session_state.kept[kind]
    st.session_state.kept[kind] = {key: st.session_state.get(key, value) for key, value in kept.items()}
    return instrument.options(st.session_state.kept[kind])


def number(key: str, **layout: Any) -> None:
    """Draw the number of an option, by the key of its widget."""
    inputs.number(OPTIONS[key], key, **layout)


def texts(page: str, shown: RunRecord | None) -> dict[str, str]:
    """The options of a page's looks in its address: those that differ from the run shown, or from the defaults."""
    found: dict[str, str] = {}
    for kind, instrument in on(page).items():
        if kind in st.session_state.get("kept", {}):
            found |= instrument.texts(st.session_state.kept[kind], _base(kind, shown))
    view = st.session_state.get(viewed_key(page))
    if shown is None and view is not None and len(on(page)) > 1 and view != next(iter(on(page))):
        found[url.VIEW_KEY] = view
    return found


def _base(kind: str, run: RunRecord | None) -> dict[str, Any]:
    """Values that an address leaves out: options of the run if it is of this kind, else the defaults."""
    instrument = INSTRUMENTS[kind]
    return instrument.defaults if run is None or run.kind != kind else instrument.held(run.options)
