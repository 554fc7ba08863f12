"""What a browser remembers between visits: the key that owns its runs, and the control links that were opened in it.

Local storage, because cookies fail in frames. Where a browser has none for this page (a frame of another site), the key
lasts as long as the tab.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

SECRET = re.compile(r"[0-9a-f]{64}")
"""How keys and the tokens of control links look."""
_RUN = re.compile(r"[0-9a-f]{32}")

_SCRIPT = """
const HOME = new URL(".", document.baseURI).pathname; // storage is the site's, which may have many servers below it
const KEY = `pcviz.owner:${HOME}`;
const LINKS = `pcviz.control:${HOME}`;
const MOST = 50; // control links kept, the newest

function memory() {
  for (const name of ["localStorage", "sessionStorage"]) {
    try {
      window[name].setItem("pcviz.try", "1");
      window[name].removeItem("pcviz.try");
      return { kept: window[name], lasting: name === "localStorage" };
    } catch { /* this page may not store: the next one, or the tab itself */ }
  }
  const held = (window.pcvizMemory ??= new Map());
  return { kept: { getItem: (name) => held.get(name), setItem: (name, text) => held.set(name, text) }, lasting: false };
}

function random() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function read(kept) {
  try { return Object.entries(JSON.parse(kept.getItem(LINKS))); } catch { return []; }
}

// The answer draws the page anew. What Streamlit sends then may take the place of what the browser has not read yet,
// and what a form is to hold at first would be lost: the last part of the page must be here before.
function whenDrawn(act, until = performance.now() + 5000) {
  if (document.querySelector(".st-key-configuration") || performance.now() > until) act();
  else setTimeout(whenDrawn, 50, act, until);
}

export default function ({ data, setStateValue }) {
  const address = new URL(location.href);
  if (address.searchParams.has("control")) {
    address.searchParams.delete("control"); // in the history too: who copies the address lets others only watch
    history.replaceState(history.state, "", address);
  }
  const { kept, lasting } = memory();
  if (!/^[0-9a-f]{64}$/.test(kept.getItem(KEY) ?? "")) kept.setItem(KEY, random());
  const links = new Map(read(kept));
  const before = links.size;
  for (const [run, token] of Object.entries(data.links)) links.delete(run), links.set(run, token);
  const newest = Object.fromEntries([...links].slice(-MOST));
  if (before || links.size) kept.setItem(LINKS, JSON.stringify(newest));
  if (!data.known) whenDrawn(() => setStateValue("brought", { key: kept.getItem(KEY), lasting, links: newest }));
}
"""


@dataclass
class Memory:
    """What the browser has told so far: its key ("" before), run -> token of the control links that were opened in it,
    and whether both outlast the tab."""

    key: str = field(default="", repr=False)
    links: dict[str, str] = field(default_factory=dict, repr=False)
    lasting: bool = True


@st.cache_resource(show_spinner=False)
def _component() -> Callable[..., Any]:
    return st.components.v2.component("pcviz_browser", js=_SCRIPT)


def ask(memory: Memory) -> None:
    """Let the browser bring what it remembers, and remember the links of `memory`. It answers with a rerun, and takes
    the token of a control link out of its address."""
    known = {"known": bool(memory.key), "links": memory.links}
    answer = _component()(key="browser", data=known, on_brought_change=lambda: None)
    if not memory.key:
        take(memory, answer.get("brought"))


def take(memory: Memory, brought: object) -> None:
    """Take over what came from a browser, as far as it looks as it should."""
    if not isinstance(brought, Mapping) or not _is(SECRET, brought.get("key")):
        return
    memory.key = brought["key"]
    memory.lasting = brought.get("lasting") is True
    links = brought.get("links")
    found = links.items() if isinstance(links, Mapping) else ()
    memory.links = {run: token for run, token in found if _is(_RUN, run) and _is(SECRET, token)} | memory.links


def _is(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
