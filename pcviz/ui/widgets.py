"""What we put into widgets, until the browser has heard of it: a browser that has not sends what they held before."""

from __future__ import annotations

from typing import Any, NamedTuple

import streamlit as st

from pcviz.ui import back


class Put(NamedTuple):
    """What a widget is to hold, and what a browser that has not heard of it may still send."""

    value: Any
    before: tuple[Any, ...]


def put(values: dict[str, Any]) -> None:
    """Let widgets hold `values` (key -> value). Only before they are drawn."""
    waiting: dict[str, Put] = st.session_state.get("put", {})
    st.session_state.put = waiting | {key: Put(value, _before(waiting, key, value)) for key, value in values.items()}
    for key, value in values.items():
        st.session_state[key] = value


def put_again() -> None:
    """Before anything is drawn: undo what a browser sent that had not heard of what we put. What is neither old nor
    new somebody chose meanwhile, which stays."""
    waiting: dict[str, Put] = st.session_state.get("put", {})
    if waiting and _heard():
        st.session_state.put = {}
        return
    for key, (value, before) in waiting.items():
        if _held(key) in ((), (value,), *((old,) for old in before)):
            st.session_state[key] = value  # also if it is there: it may be that of a widget of the page before


def chosen(key: str) -> bool:
    """In the callback of a widget: whether somebody changed it, or a browser that had not heard of what we put."""
    waiting: dict[str, Put] = st.session_state.get("put", {})
    return key not in waiting or st.session_state[key] not in waiting[key].before or _heard()


def _heard() -> bool:
    """Whether the browser comes from the address that we wrote last, after all that we put."""
    query = st.query_params.to_dict()
    _, told = st.session_state.get("told", (None, None))
    return back.mark(query) is None and query == told


def _before(waiting: dict[str, Put], key: str, value: Any) -> tuple[Any, ...]:
    known = waiting[key].before if key in waiting else ()
    return (*known, *(old for old in _held(key) if old != value and old not in known))


def _held(key: str) -> tuple[Any, ...]:
    """What a widget holds, if it holds anything."""
    return (st.session_state[key],) if key in st.session_state else ()
