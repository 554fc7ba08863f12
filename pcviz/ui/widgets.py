"""What we put into widgets, until the browser has heard of it: a browser that has not sends what they held before."""

from __future__ import annotations

from typing import Any, NamedTuple

import streamlit as st

from pcviz.ui import back


class Put(NamedTuple):
    """What a widget is to hold, and what a browser that has not heard of it may still send."""

    value: Any
    before: tuple[Any, ...]


class Told(NamedTuple):
    """What the browser was told last: the address of a page, and with it all that had been put into widgets."""

    page: str
    query: dict[str, str]
    put: dict[str, Put]


def put(values: dict[str, Any]) -> None:
    """Let widgets hold `values` (key -> value). Only before they are drawn."""
    waiting: dict[str, Put] = st.session_state.get("put", {})
    st.session_state.put = waiting | {key: Put(value, _before(waiting, key, value)) for key, value in values.items()}
    for key, value in values.items():
        st.session_state[key] = value


def put_again() -> None:
    """Before anything is drawn: undo what a browser sent that had not heard of what we put. A value that is neither old
    nor new was chosen by somebody meanwhile, and stays."""
    waiting = _waiting()
    st.session_state.put = waiting
    for key, (value, before) in waiting.items():
        if _held(key) in ((), (value,), *((old,) for old in before)):
            st.session_state[key] = value  # also if it is there: it may be that of a widget of the page before


def chosen(key: str) -> bool:
    """In the callback of a widget: whether somebody changed it, or a browser that had not heard of what we put."""
    waiting = _waiting()
    return key not in waiting or st.session_state[key] not in waiting[key].before


def tell(page: str, query: dict[str, str]) -> None:
    """After everything is drawn: remember the address that the browser was told, which it will come from once it has
    heard of what was put."""
    st.session_state.told = Told(page, query, st.session_state.get("put", {}))


def _waiting() -> dict[str, Put]:
    """What was put and the browser may not have heard of. It has if it comes from the address that it was told then."""
    waiting: dict[str, Put] = st.session_state.get("put", {})
    told: Told | None = st.session_state.get("told")
    query = st.query_params.to_dict()
    if told is None or back.take_mark(query) is not None or query != told.query:
        return waiting
    return {key: put for key, put in waiting.items() if told.put.get(key) is not put}


def _before(waiting: dict[str, Put], key: str, value: Any) -> tuple[Any, ...]:
    known = waiting[key].before if key in waiting else ()
    return (*known, *(old for old in _held(key) if old != value and old not in known))


def _held(key: str) -> tuple[Any, ...]:
    """What a widget holds, if it holds anything."""
    return (st.session_state[key],) if key in st.session_state else ()
