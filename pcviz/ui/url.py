"""The query string: a link holds the whole state of a page.

Keys are widget keys (field paths with underscores), values only those that differ from the defaults, besides `run` (the
run shown), `baseline` (the run drawn dashed over it), `present` (1: for a projector) and `v`, the version whose
defaults apply to what is left out (pcviz.experiment.schema). A page with looks has their options too, and `view`, if it
has several. Everything is validated through `Experiment` and the models of the options before a widget sees it.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from typing import Any

from pcviz.experiment import defaults, fields, from_paths, schema
from pcviz.experiment.faults import shown, valid_part
from pcviz.ui.instruments import on

RUN_KEYS = ("run", "baseline")
VERSION_KEY, VIEW_KEY, PRESENT_KEY = "v", "view", "present"
FORMER_VIEWS = {"surface": "plane"}
"""Name of a view in earlier addresses -> its present name."""
_RUN_ID = re.compile(r"[0-9a-f]{32}")


def key_of(path: str) -> str:
    """`network.depth` -> `network_depth`, the key of its widget and of its value in the URL."""
    return path.replace(".", "_")


PATHS: dict[str, str] = {key_of(path): path for path in fields()}
"""Widget key -> field path."""


@dataclass
class State:
    """The content of a query string: field path -> value, run ids by key, one message per fault, whether it holds all
    settings that are not defaults, options of looks (kind -> widget key -> value), the view, and whether it is for a
    projector."""

    values: dict[str, Any] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    whole: bool = False
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    view: str | None = None
    present: bool = False


def parse(query: Mapping[str, str], repeated: Collection[str] = (), page: str = "") -> State:
    """Read the query string of a page; keys that it holds more than once are `repeated`. Faulty values are left out,
    with a message each; the others are kept.

    Values that conflict only with a *default* are kept: the form shows what is wrong with them.
    """
    state, texts = State(), {}
    kinds = {key: kind for kind, instrument in on(page).items() for key in instrument.fields}
    written: dict[str, dict[str, str]] = {kind: {} for kind in on(page)}
    state.whole = VERSION_KEY in query
    version, query = _version(query, state, repeated)
    for key, text in query.items():
        if key in repeated:
            state.faults.append(f"{shown(key)}: given more than once (value {shown(text)}; allowed: once)")
        elif key in RUN_KEYS:
            if _RUN_ID.fullmatch(text):
                state.runs[key] = text
            else:
                state.faults.append(f"{key}: {shown(text)} is not a run (allowed: 32 hexadecimal digits)")
        elif key == PRESENT_KEY:
            state.present = text == "1"
            if not state.present:
                state.faults.append(f"{key}: {shown(text)} is not allowed (allowed: 1)")
        elif key in kinds:
            written[kinds[key]][key] = text
        elif key == VIEW_KEY and len(written) > 1:
            if (view := FORMER_VIEWS.get(text, text)) in written:
                state.view = view
            else:
                state.faults.append(f"{key}: {shown(text)} is not a view (allowed: {', '.join(written)})")
        elif key in PATHS or (version < schema.current() and "." not in key):  # it may have another name by now
            texts[PATHS.get(key, key.replace("_", ".", 1))] = text
        else:
            state.faults.append(_unknown(key, text, kinds))
    for kind, instrument in on(page).items():
        state.options[kind], messages = instrument.parse(written[kind])
        state.faults += messages
    if texts or version < schema.current():
        whole = state.whole or "run" not in state.runs
        meant = schema.upgraded_link(texts, version, whole=whole)
        state.faults += [_unknown(key_of(path), str(text)) for path, text in meant.items() if path not in fields()]
        texts = {path: text for path, text in meant.items() if path in fields()}
    state.values, messages = valid_part(texts, partial(from_paths, form=True), form=True)
    if messages and version < schema.current():  # what was left out takes the defaults of that version, too
        state.values = schema.upgraded_link(state.values, version, whole=whole)
    state.faults += messages
    return state


def _version(query: Mapping[str, str], state: State, repeated: Collection[str]) -> tuple[int, dict[str, str]]:
    """The version of an address, and the rest of it. An address without settings is of the present version."""
    rest = {key: text for key, text in query.items() if key != VERSION_KEY}
    if VERSION_KEY not in query:
        return (schema.FIRST if rest.keys() - {*RUN_KEYS, PRESENT_KEY} else schema.current()), rest
    text, newest = query[VERSION_KEY], schema.current()
    if text.isascii() and text.isdigit() and len(text) < 6 and VERSION_KEY not in repeated:
        if schema.FIRST <= int(text) <= newest:
            return int(text), rest
        if int(text) > newest:
            state.faults.append(
                f"{VERSION_KEY}: {text} is a later version of addresses than this pcviz knows, so that settings may be "
                f"missing here (allowed: {schema.FIRST} to {newest})"
            )
            return newest, rest
    state.faults.append(f"{VERSION_KEY}: {shown(text)} is not a version (allowed: {schema.FIRST} to {newest}, once)")
    return newest, rest


def _unknown(key: str, text: str, others: Collection[str] = ()) -> str:
    close = get_close_matches(key, [*PATHS, *RUN_KEYS, *others], n=1)
    hint = f"such as {close[0]}" if close else "the settings of an experiment"
    return f"{shown(key)}: unknown in the address (value {shown(text)}; allowed: {hint})"


def query(
    experiment_values: Mapping[str, Any],
    runs: Mapping[str, str],
    options: Mapping[str, str] | None = None,
    *,
    lasting: bool = False,
    present: bool = False,
) -> dict[str, str]:
    """The inverse of `parse`: settings that differ from the defaults, their version, `options` as texts, and runs.

    A `lasting` query has a version even without settings: it means the defaults of today for ever.
    """
    settings = {key_of(path): _text(value) for path, value in differing(experiment_values).items()}
    version = {VERSION_KEY: str(schema.current())} if settings or options or lasting else {}
    shown_runs = {key: runs[key] for key in RUN_KEYS if runs.get(key)}
    return {**version, **settings, **(options or {}), **shown_runs, **({PRESENT_KEY: "1"} if present else {})}


def differing(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that differ from the defaults, also where they do not fit together."""
    default = defaults(values)
    return {path: value for path, value in values.items() if value != default[path]}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
