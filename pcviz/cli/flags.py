"""An experiment as command-line flags: `--preset mupc-128 --network.depth 32 --network.no-skips --seed 7`.

Flags are the field paths of `Experiment` (dashes and underscores both work). All faults of a command line are
reported together, one line each.
"""

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from pcviz.experiment import Experiment, fields, from_paths
from pcviz.experiment.command import spelling
from pcviz.experiment.faults import allowed, faults, shown
from pcviz.experiment.presets import PRESETS
from pcviz.experiment.schema import flatten


class BadArguments(Exception):
    """A command line that cannot be understood; `lines` holds one message per fault."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True)
class Flag:
    """A flag that is not a field of the experiment: what it does, the values allowed (empty: it takes none), and
    whether it may be given several times."""

    help: str
    allowed: str = ""
    repeats: bool = False

    @property
    def takes_value(self) -> bool:
        """Whether a value follows the flag."""
        return bool(self.allowed)


@dataclass
class Arguments:
    """A parsed command line: field path -> value, other flags -> text (None without a value), flags that may be given
    several times -> all their texts, help requested."""

    fields: dict[str, Any] = field(default_factory=dict)
    flags: dict[str, str | None] = field(default_factory=dict)
    repeated: dict[str, list[str]] = field(default_factory=dict)
    help: bool = False


PRESET = Flag("Start from a named experiment; later flags change it.", ", ".join(PRESETS))


def parse(arguments: list[str], flags: dict[str, Flag]) -> tuple[Experiment | None, Arguments]:
    """The experiment that `arguments` describe (None if help is requested) and the other `flags` given.

    Raises BadArguments.
    """
    given, lines = read(arguments, flags)
    if given.help:
        return None, given
    preset = given.flags.get("preset")
    if preset is not None and preset not in PRESETS:
        lines.append(f"preset: {shown(preset)} is not a preset (allowed: {', '.join(PRESETS)})")
    start = PRESETS[preset].changes if preset in PRESETS else {}
    experiment = None
    try:
        experiment = from_paths({**start, **given.fields})
    except ValidationError as error:
        lines += faults(error)
    if lines:
        raise BadArguments(lines)
    return experiment, given


def read(arguments: list[str], flags: dict[str, Flag]) -> tuple[Arguments, list[str]]:
    """Sort `arguments` into fields and flags, without validating the fields' values; the second result lists faults."""
    given, lines = Arguments(), []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word in ("-h", "--help"):
            given.help = True
            continue
        name, equals, text = word.removeprefix("--").partition("=")
        name, value = name.replace("-", "_"), text if equals else None
        path, switch = _switch(name)
        if not word.startswith("--"):
            lines.append(f"{shown(word)}: is not a flag (allowed: flags such as --network.depth 32)")
        elif switch is not None and value is None:
            given.fields[path] = switch
        elif name in fields() or (name in flags and flags[name].takes_value):
            if value is None and (not waiting or waiting[0].startswith("--")):
                lines.append(f"{name}: the value is missing (allowed: {_allowed(name, flags)})")
                continue
            value = waiting.pop(0) if value is None else value
            if name in flags and flags[name].repeats:
                given.repeated.setdefault(name, []).append(value)
            else:
                (given.fields if name in fields() else given.flags)[name] = value
        elif name in flags:
            if value is not None:
                lines.append(f"{name}: {shown(value)} is not expected (allowed: --{name} without a value)")
            given.flags[name] = None
        else:
            lines.append(_unknown(word.partition("=")[0], flags))
            if value is None and waiting and not waiting[0].startswith("--"):
                waiting.pop(0)  # the value of the unknown flag is not a second fault
    return given, lines


def _switch(name: str) -> tuple[str, bool | None]:
    """`network.skips` -> (path, True), `network.no_skips` -> (path, False), anything else -> (name, None)."""
    section, dot, last = name.rpartition(".")
    positive = section + dot + last.removeprefix("no_")
    for path, switch in ((name, True), (positive, False)):
        if path in fields() and fields()[path].annotation is bool:
            return path, switch
    return name, None


def _allowed(name: str, flags: dict[str, Flag]) -> str:
    return allowed(name) if name in fields() else flags[name].allowed


def _unknown(word: str, flags: dict[str, Flag]) -> str:
    every = [spelling(name) for name in [*fields(), *flags]]
    close = get_close_matches(word, every, n=3, cutoff=0.6)
    near = f"closest: {', '.join(close)}" if close else "--help lists them all"
    return f"{shown(word)}: unknown flag (allowed: the fields of an experiment; {near})"


EXIT = """\
Exit status 0: done; 1: the work failed, or was stopped early (results so far are printed); 2: bad arguments, with one
line per fault on standard error; 3: done, but the network diverged, or a finding of diagnose is FAIL."""
"""What the exit status of a command means, for its `--help`."""


def describe(flags: dict[str, Flag], *, with_fields: bool = True) -> str:
    """Every flag with its allowed values, default and meaning, one a line, and the exit statuses: the body of `--help`.
    `with_fields`: include the fields of an experiment."""
    rows = [
        (spelling(name), flag.help + (f" ({flag.allowed})" if flag.allowed else "")) for name, flag in flags.items()
    ]
    rows += _fields() if with_fields else []
    width = max(len(row[0]) for row in rows)
    return "\n".join([*(f"  {name:<{width}}  {text}" for name, text in rows), "", EXIT])


def _fields() -> list[tuple[str, str]]:
    """Flag and text of every field of an experiment."""
    rows: list[tuple[str, str]] = []
    defaults = flatten(Experiment().model_dump())
    for path, info in fields().items():
        section, dot, last = path.rpartition(".")
        name, limits = spelling(path), allowed(path)
        if info.annotation is bool:
            name, limits = f"{name}, {spelling(f'{section}{dot}no_{last}')}", "with or without"
        rows.append((name, f"{info.title} ({limits}; default {shown(defaults[path])})"))
    return rows
