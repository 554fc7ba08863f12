"""The stable family: exponents of members of the family of parameterisations (theory.md 2.5)."""

from typing import Any

from pcviz.experiment.family import MEMBERS, Size
from pcviz.instruments.reproduce.measures.base import Measure, one_by_one
from pcviz.instruments.reproduce.studies.stable_family import Family
from pcviz.numerics.krylov import Work
from pcviz.probes.family import observe, start


def measure(size: Size, protocol: Family) -> Work[dict[str, Any]]:
    """What is looked at of every member with the weights of one network, by both rules."""
    network = start(size.width, size.depth, size.seed)
    yield
    found = {}
    for name in protocol.members:
        found[name] = observe(network, MEMBERS[name].member, size.seed).tolist()
        yield
    return {"members": found}


MEASURES = {"stable-family": Measure(one_by_one(measure))}
