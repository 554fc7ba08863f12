"""Members of a group that are measured in another process: what is sent there, and what is done there.

Only text and bytes are sent, so that a process with other versions can read what it has to refuse. Importing this loads
no JAX: a scheduler imports it too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pcviz.experiment import Experiment
from pcviz.experiment.data import is_own
from pcviz.jobs.code import compare, this_process, versions

if TYPE_CHECKING:
    from pcviz.jobs.group import Group
    from pcviz.jobs.protocol import Elsewhere

WAIT_SECONDS = 60.0
"""The first process has to answer within this time."""


def versions_of(elsewhere: Elsewhere) -> dict[str, str]:
    """The versions of the first process that answers; its device may be another than ours. Raises ConnectionError if
    none answers, OtherVersions if they differ."""
    future = elsewhere.submit(_answer)
    try:
        where, theirs = future.result(WAIT_SECONDS)
    except TimeoutError:
        future.cancel()
        raise ConnectionError(
            f"{elsewhere.place}: no worker answered within {WAIT_SECONDS:.0f} s; start some, then try again"
        ) from None
    compare(theirs, versions() | {"device": theirs["device"]}, f"{elsewhere.place}, {where}")
    return theirs


def described(group: Group[Any], expected: Mapping[str, str]) -> str:
    """A group as text, to be made again where versions are as `expected`."""
    kind = type(group)
    parts = {
        "job": [kind.__module__, kind.__qualname__],
        "experiment": group.experiment.model_dump(mode="json"),
        "options": group.options.stored(),
        "versions": expected,
    }
    return json.dumps(parts)


def held(names: Iterable[str]) -> dict[str, bytes]:
    """The user data sets among these, which other processes may not have."""
    return {name: _packed(name) for name in names if is_own(name)}


def measured(description: str, members: Sequence[str], data: Mapping[str, bytes]) -> tuple[list[Any], float]:
    """Measure members of the described group in this process; returns the results and the seconds that it took. Raises
    OtherVersions if this process has other versions than the description expects."""
    begun = time.perf_counter()
    group = _group(description)
    _hold(data)
    return group.measure_any(members), time.perf_counter() - begun


def _answer() -> tuple[str, dict[str, str]]:
    return this_process(), versions()


@lru_cache(4)
def _group(description: str) -> Group[Any]:
    parts = json.loads(description)
    compare(versions(), parts["versions"], this_process())
    module, name = parts["job"]
    group: Group[Any] = getattr(import_module(module), name)(
        Experiment.model_validate(parts["experiment"]), parts["options"]
    )
    return group


@lru_cache(2)
def _packed(name: str) -> bytes:
    from pcviz.data.own import packed  # scikit-learn, which takes long to load

    return packed(name)


def _hold(data: Mapping[str, bytes]) -> None:
    if data:
        from pcviz.data import own

        for name, content in data.items():
            if name not in own.HELD:
                own.hold_file(content)
