"""What a browser remembers between visits: the key that owns its runs, and the control links that were opened in it.

Local storage, because cookies fail in frames. Where a browser has none for this page (a frame of another site), the key
lasts as long as the tab.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

SECRET = re.compile(r"[0-9a-f]{64}")
"""Format of keys and of the tokens of control links."""
_RUN = re.compile(r"[0-9a-f]{32}")


@dataclass
class Memory:
    """What the browser has sent so far: its key ("" before), run -> token of the control links that were opened in it,
    and whether both outlast the tab."""

    key: str = field(default="", repr=False)
    links: dict[str, str] = field(default_factory=dict, repr=False)
    lasting: bool = True


@st.cache_resource(show_spinner=False)
def _component() -> Callable[..., Any]:
    return st.components.v2.component("pcviz_browser", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"))


def ask(memory: Memory) -> None:
    """Ask the browser for what it remembers, and let it store the links of `memory`. It answers with a rerun, and
    removes the token of a control link from its address."""
    known = {"known": bool(memory.key), "links": memory.links}
    answer = _component()(key="browser", data=known, on_brought_change=lambda: None)
    if not memory.key:
        take(memory, answer.get("brought"))


def take(memory: Memory, brought: object) -> None:
    """Take over what a browser sent, as far as it has the right format."""
    if not isinstance(brought, Mapping) or not _is(SECRET, brought.get("key")):
        return
    memory.key = brought["key"]
    memory.lasting = brought.get("lasting") is True
    links = brought.get("links")
    found = links.items() if isinstance(links, Mapping) else ()
    memory.links = {run: token for run, token in found if _is(_RUN, run) and _is(SECRET, token)} | memory.links


def _is(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
