"""Streamlit's inputs, each with the value that the session holds as its own default: a browser that has lost the value
which it was sent falls back on the default, and would send another one."""

import math
from collections.abc import Iterable
from typing import Any, get_args

import streamlit as st
from pydantic.fields import FieldInfo

from pcviz.experiment.faults import limits


def number(info: FieldInfo, key: str, **layout: Any) -> None:
    """A number with the label, limits and (unless `layout` has another) help of its field."""
    whole = int in (info.annotation, *get_args(info.annotation))
    kind, size = (int, 2) if whole else (float, info.default or 1e-3)
    low, high = (None if bound is None else kind(bound) for bound, _ in limits(info))
    step = kind(10.0 ** math.floor(math.log10(size / 2)))
    held = st.session_state.get(key)
    if held is not None and (low is None or low <= held) and (high is None or held <= high):
        layout = {"value": kind(held), **layout}
    options = {"step": step, "format": None if whole else "%g", "help": info.description, **layout}
    st.number_input(info.title or key, low, high, key=key, **options)


def toggle(label: str, key: str, **layout: Any) -> None:
    """A switch."""
    st.toggle(label, key=key, value=bool(st.session_state.get(key)), **layout)


def select(label: str, options: Iterable[Any], key: str, **layout: Any) -> None:
    """One of many, in a list that opens."""
    offered, held = list(options), st.session_state.get(key)
    st.selectbox(label, offered, key=key, index=offered.index(held) if held in offered else 0, **layout)


def segments(label: str, options: Iterable[Any], key: str, **layout: Any) -> None:
    """One of a few, side by side."""
    offered, held = list(options), st.session_state.get(key)
    default = held if held in offered else None
    st.segmented_control(label, offered, key=key, default=default, required=True, **layout)


def pills(label: str, options: Iterable[Any], key: str, **layout: Any) -> None:
    """One or none of a few, side by side; several with `selection_mode="multi"`."""
    st.pills(label, list(options), key=key, default=st.session_state.get(key), **layout)


def several(label: str, options: Iterable[Any], key: str, **layout: Any) -> None:
    """Any of many, in a list that opens."""
    st.multiselect(label, list(options), key=key, default=st.session_state.get(key), **layout)


def slider(info: FieldInfo, key: str, *, step: float, **layout: Any) -> None:
    """A number with two limits, to be tried out: label, limits and help of its field."""
    (low, _), (high, _) = limits(info)
    assert low is not None and high is not None
    low, high = float(low), float(high)
    held = min(max(float(st.session_state.get(key, low)), low), high)
    st.slider(info.title or key, low, high, held, step, key=key, help=info.description, format="%g", **layout)
