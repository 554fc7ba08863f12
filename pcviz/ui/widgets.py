"""Values that we set in widgets, kept until the browser has received them: until then it may send the old ones."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import streamlit as st

from pcviz.ui import back


class Put(NamedTuple):
    """A value that was set, and those that a browser which has not received it may still send."""

    value: Any
    before: tuple[Any, ...]


class Sent(NamedTuple):
    """What was sent to the browser last: the address of a page, and with it all values that had been set."""

    page: str
    query: dict[str, str]
    put: dict[str, Put]


def button(key: str, label: str, icon: str, act: Callable[[], None], *, enabled: bool) -> None:
    """A button of the row that steers a run; "play" stands out."""
    # No tooltip: Streamlit draws a button that has one twice, once for touch screens.
    kind: Literal["primary", "secondary"] = "primary" if key == "play" else "secondary"
    st.button(label, key=key, type=kind, icon=f":material/{icon}:", on_click=act, disabled=not enabled)


def put(values: dict[str, Any]) -> None:
    """Set `values` in widgets (key -> value). Only before they are drawn."""
    waiting: dict[str, Put] = st.session_state.get("put", {})
    st.session_state.put = waiting | {key: Put(value, _before(waiting, key, value)) for key, value in values.items()}
    for key, value in values.items():
        st.session_state[key] = value


def put_again() -> None:
    """Set values again, before anything is drawn, that a browser overwrote because it had not received them. A value
    that is neither old nor new was chosen by the user meanwhile, and stays."""
    waiting = _waiting()
    st.session_state.put = waiting
    for key, (value, before) in waiting.items():
        if _held(key) in ((), (value,), *((old,) for old in before)):
            st.session_state[key] = value  # even if equal: it may belong to a widget of the previous page


def chosen(key: str) -> bool:
    """In the callback of a widget: whether the user changed it, not a browser that had not received the value set."""
    waiting = _waiting()
    return key not in waiting or st.session_state[key] not in waiting[key].before


def remember_sent(page: str, query: dict[str, str]) -> None:
    """After everything is drawn: remember the address sent to the browser. A browser that comes from this address
    has received the values set."""
    st.session_state.sent = Sent(page, query, st.session_state.get("put", {}))


def _waiting() -> dict[str, Put]:
    """Values set that the browser may not have received: it has if it comes from the address sent with them."""
    waiting: dict[str, Put] = st.session_state.get("put", {})
    sent: Sent | None = st.session_state.get("sent")
    query = st.query_params.to_dict()
    if sent is None or back.take_mark(query) is not None or query != sent.query:
        return waiting
    return {key: put for key, put in waiting.items() if sent.put.get(key) is not put}


def _before(waiting: dict[str, Put], key: str, value: Any) -> tuple[Any, ...]:
    known = waiting[key].before if key in waiting else ()
    return (*known, *(old for old in _held(key) if old != value and old not in known))


def _held(key: str) -> tuple[Any, ...]:
    """What a widget holds, if it holds anything."""
    return (st.session_state[key],) if key in st.session_state else ()
