"""The form: one widget for each field of `Experiment`, in the sidebar. Simple: few fields; all: every field, in groups.

The key of a widget is the path of its field with underscores. What the form holds may be invalid (settings that do not
go together): nothing is lost or clipped, the page reports what is wrong and starts nothing.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from pcviz.experiment import DATASETS, DEPTHS, Experiment, Network, defaults, fields, from_paths
from pcviz.experiment.faults import allowed, faults
from pcviz.experiment.labels import value_label
from pcviz.experiment.presets import PRESETS
from pcviz.experiment.rules import RULES
from pcviz.experiment.schema import flatten
from pcviz.ui import detail, inputs, widgets
from pcviz.ui.url import differing, key_of

TITLES = {"": "Run", **{name: info.title or name for name, info in Experiment.model_fields.items()}}
"""Section -> its heading."""
SUGGESTED = {
    "inference.steps": (*DEPTHS, "1", "4", "16", "64", "256", "1024"),
    "learning.learning_rate": ("auto", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3"),
    "learning.layer_rates": ("1", "10,1", "3,1", "1,3", "1,10"),
    "learning.weight_norm": ("none", "0.5", "1", "2"),
    "data.train_size": ("all", "64", "128", "256", "512", "1024"),
    "data.test_size": ("all", "64", "128", "256"),
}
"""Choices of the fields that hold a number, a word or several numbers; anything else that is allowed can be typed."""

LEADING = ("network.parameterisation", "inference.precision_schedule", "learning.rule")
"""Fields that the defaults of others follow."""


@dataclass(frozen=True)
class Form:
    """What the form holds: field path -> value, the experiment that it makes (None if invalid), and what is wrong."""

    values: dict[str, Any]
    experiment: Experiment | None
    faults: list[str] = field(default_factory=list)


def form(drawn: Callable[[str], bool] = lambda path: True, beside: Callable[[str], None] | None = None) -> Form:
    """Draw the form in the sidebar and read it; fields that are not `drawn` (by path) keep their values. What `beside`
    draws stands at the right of a field.

    `st.session_state.settings` holds the initial values.
    """
    _hold()
    useful = {path: info for path, info in fields().items() if drawn(path)}
    with st.sidebar:
        _presets()
        shown = useful if detail.choose() else {p: info for p, info in useful.items() if _extra(info)["simple"]}
        if shown is useful:
            for section in dict.fromkeys(path.rpartition(".")[0] for path in shown):
                _group(section, shown, beside)
        else:
            for path in sorted(shown, key=lambda path: not path.startswith("data.")):  # data first
                _field(path, shown[path], beside)
            _hidden(useful.keys() - shown.keys())
    _keep(fields().keys() - shown.keys())
    return _taken()


def applies(path: str) -> bool:
    """Whether a field has an effect with the values of those that it needs."""
    needs: dict[str, list[str]] = _extra(fields()[path])["needs"]
    return all(st.session_state[key_of(other)] in values for other, values in needs.items())


def rest(why: str) -> Form:
    """The form on a page that does not use it: it keeps its values, and the sidebar says `why` it is empty."""
    _hold()
    st.sidebar.caption(why)
    _keep(fields())
    return _taken()


def _hold() -> None:
    """Give every field a value: one that is not drawn yet, or that the browser lost, gets that of the settings."""
    for path, value in st.session_state.settings.items():
        if st.session_state.get(key_of(path)) is None:
            st.session_state[key_of(path)] = _shown(path, value)


def _keep(paths: Iterable[str]) -> None:
    """Keep what fields hold that are not drawn: Streamlit forgets it, but not what is set anew."""
    for path in paths:
        st.session_state[key_of(path)] = st.session_state[key_of(path)]


def _taken() -> Form:
    """Read the form and remember its values."""
    current = read()
    st.session_state.settings = current.values
    if current.experiment:
        st.session_state.nearest = current.experiment
    return current


def read() -> Form:
    """What the widgets hold now; also before they are drawn again, in the callback of a button."""
    values = {path: st.session_state[key_of(path)] for path in fields()}
    try:
        return Form(values, from_paths(values, form=True))
    except ValidationError as error:
        return Form(values, None, faults(error, form=True))


def fill(values: dict[str, Any]) -> None:
    """Put `values` (field path -> value) into the form, defaults elsewhere. Only before the form is drawn."""
    st.session_state.settings = {**defaults(values), **values}
    st.session_state.settings.pop("schema", None)
    restore()


def restore() -> None:
    """Put the settings into the form again: the widgets of another page are not those that held them."""
    settings = {key_of(path): _shown(path, value) for path, value in st.session_state.settings.items()}
    widgets.put({detail.KEY: detail.chosen(), **settings})


def _presets() -> None:
    current = {**st.session_state.settings}
    matching = [name for name, preset in PRESETS.items() if _same(current, preset.experiment)]
    widgets.put({"preset": matching[0] if matching else None})
    inputs.pills(
        "Start from",
        PRESETS,
        "preset",
        format_func=lambda name: PRESETS[name].label,
        on_change=_apply_preset,
        help="Ready-made experiments. Choosing one fills the form below; nothing starts before you press Train.",
    )
    st.caption(PRESETS[matching[0]].shows if matching else "Settings of your own.")


def _same(values: dict[str, Any], experiment: Experiment) -> bool:
    whole = flatten(experiment.model_dump())
    return all(_shown(path, value) == _shown(path, whole[path]) for path, value in values.items())


def _apply_preset() -> None:
    name = st.session_state.preset
    if name is not None and widgets.chosen("preset"):  # None: a click on the chosen preset, which stays
        fill(PRESETS[name].changes)


def _group(section: str, shown: Mapping[str, FieldInfo], beside: Callable[[str], None] | None) -> None:
    """The fields of a section in a group that folds; those that few people need come last."""
    mine = {path: info for path, info in shown.items() if path.rpartition(".")[0] == section}
    advanced = {path: info for path, info in mine.items() if _extra(info)["advanced"]}
    opened = section == next(iter(shown)).rpartition(".")[0]
    with st.expander(TITLES[section], expanded=opened, key=f"group_{section or 'run'}"):
        for path, info in mine.items():
            if path not in advanced:
                _field(path, info, beside)
        if advanced:
            st.caption("Rarely needed")
        for path, info in advanced.items():
            _field(path, info, beside)


def _hidden(paths: Collection[str]) -> None:
    """Say which of these fields, which are not shown, somebody should know of."""
    now = read()
    wrong = {fault.partition(":")[0] for fault in now.faults}
    changed = differing(now.values).keys() - wrong
    for found, one, many in (
        (wrong, "{} hidden setting does not fit", "{} hidden settings do not fit"),
        (changed, "{} more setting differs from its default", "{} more settings differ from their defaults"),
    ):
        if names := [info.title for path, info in fields().items() if path in paths and path in found]:
            what = (one if len(names) == 1 else many).format(len(names))
            st.caption(f"{what}: {', '.join(names)}. **All** shows {'it' if len(names) == 1 else 'them'}.")


def _field(path: str, info: FieldInfo, beside: Callable[[str], None] | None) -> None:
    if beside is None:
        _widget(path, info)
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key=f"row_{key_of(path)}"):
        with st.container():
            _widget(path, info)
        beside(path)


def _widget(path: str, info: FieldInfo) -> None:
    """One control, with its label, help, formula and allowed range."""
    key = key_of(path)
    common: dict[str, Any] = {"label": info.title or path, "help": help_text(path, info)}
    choices = _choices(path, info)
    if path in SUGGESTED:
        options = list(SUGGESTED[path])
        current = str(st.session_state[key])
        options += [current] if current not in options else []
        inputs.select(options=options, key=key, accept_new_options=True, **common)
    elif info.annotation is bool:
        inputs.toggle(key=key, **common)
    elif choices:
        changed = partial(_led, path) if path in LEADING else None
        common |= {"options": choices, "format_func": partial(value_label, path), "on_change": changed}
        if len(get_args(info.annotation)) in (2, 3):
            inputs.segments(key=key, **common)
        else:
            inputs.select(key=key, disabled=len(choices) == 1, **common)
    else:
        inputs.number(info, key, help=common["help"])
    if note := _resolved(path):
        st.caption(note)


def help_text(path: str, info: FieldInfo) -> str:
    """The tooltip of a field: what it does, its formula, what is allowed."""
    formula = _extra(info)["formula"]
    lines = [info.description or "", f"${formula}$" if formula else "", f"Allowed: {allowed(path, form=True)}."]
    return "\n\n".join(line for line in lines if line)


def _extra(info: FieldInfo) -> dict[str, Any]:
    return dict(info.json_schema_extra) if isinstance(info.json_schema_extra, dict) else {}


def _choices(path: str, info: FieldInfo) -> list[str]:
    """The values of an enumeration that are allowed with the rest of its section; empty for other fields."""
    if path == "data.name":
        return _data_sets()
    if get_origin(info.annotation) is not Literal:
        return []
    choices = [str(choice) for choice in get_args(info.annotation)]
    if path == "network.initialisation":
        parameterisation = st.session_state.network_parameterisation
        choices = [choice for choice in choices if _goes_with(parameterisation, choice)]
    return choices


def _data_sets() -> list[str]:
    """The data sets that come with pcviz, and the user data sets that this tab has used."""
    met: list[str] = st.session_state.setdefault("own_data", [])
    if (name := st.session_state.data_name) not in (*DATASETS, *met):
        met.append(name)
    return [*DATASETS, *met]


def _goes_with(parameterisation: str, initialisation: str) -> bool:
    try:
        Network.model_validate({"parameterisation": parameterisation, "initialisation": initialisation})
    except ValidationError:
        return False
    return True


def _led(path: str) -> None:
    """Fields that follow the one that was changed follow it, if they hold what followed from it before. Initial weights
    always do: a parameterisation has distributions of its own."""
    key, before = key_of(path), dict(st.session_state.settings)
    value = st.session_state[key]
    if value is None or not widgets.chosen(key):  # None: lost by the browser, see _hold
        return
    old, new = defaults(before), defaults({**before, path: value})
    held = {other for other in before if _shown(other, before[other]) == _shown(other, old[other])}
    moved = {other for other in before if new[other] != old[other]} & {*held, "network.initialisation"}
    widgets.put({key_of(other): _shown(other, new[other]) for other in moved})


def _shown(path: str, value: Any) -> Any:
    """A value as its widget holds it: fields that are a number or a word are texts."""
    return str(value) if path in SUGGESTED else value


def _resolved(path: str) -> str | None:
    """What `4depth` and `auto` stand for with the settings in the form."""
    state = st.session_state
    steps = path == "inference.steps" and state.inference_steps in DEPTHS and RULES[state.learning_rule].relaxes
    rate = path == "learning.learning_rate" and state.learning_learning_rate == "auto"
    if steps or rate:
        try:
            experiment = from_paths({p: state[key_of(p)] for p in fields() if key_of(p) in state})
        except ValidationError:
            return None
        if steps:
            return f"{state.inference_steps} = {experiment.relaxation_steps} steps"
        rates = experiment.learning_rates
        return "auto = " + " to ".join(f"{rate:.3g}" for rate in sorted({min(rates), max(rates)}))
    return None


def nearest(form: Form) -> Experiment:
    """The experiment of the form, or the last valid one that it held: what empty panels are drawn for."""
    return form.experiment or st.session_state.get("nearest", Experiment())
