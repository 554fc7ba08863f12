"""Twins: the trainings that are compared with the experiment's own, equal but for one intervention, from the same seed
on the same batches for as many steps."""

from pydantic import ValidationError

from pcviz.experiment import Experiment
from pcviz.experiment.rules import BASELINE
from pcviz.instruments.diagnosis.treatments import TREATMENTS, ill, treated

MAKE = ("network", "learning")
"""The parts that backpropagation has too."""
PLANTED = [name for name, treatment in TREATMENTS.items() if treatment.part in MAKE]
RELAXING = [name for name, treatment in TREATMENTS.items() if treatment.part == "relaxation" and name != "time"]
TWINS = (
    *("own", "backprop", "sound", "relaxed", "biased", "slower", "faster"),
    *(f"sound but {name}" for name in PLANTED),
    *(f"treated {name}" for name in (*PLANTED, *RELAXING)),
)
"""own: the experiment. backprop: learned by backpropagation. sound: that with every treatment of network and learning.
relaxed: the experiment with these treatments, so that only its relaxation is its own. biased: sound, with biases.
slower, faster: the experiment at a tenth of its learning rate, and at ten times it. sound but X: sound without the
treatment X. treated X: the experiment with the treatment X alone."""
LABELS = {
    "own": "this network",
    "backprop": "backprop",
    "sound": "sound",
    "relaxed": "sound, relaxed so",
    "biased": "sound, biases",
}
"""What those are called that are drawn; the others are told of in the findings that rest on them."""
FACTORS = {"slower": 0.1, "faster": 10.0}
MOST_RATE = 100.0


def drawn(experiment: Experiment) -> list[str]:
    """The twins of LABELS that this experiment can have."""

    def exists(name: str) -> bool:
        try:
            return twin(name, experiment) is not None
        except ValidationError:
            return False

    return [name for name in LABELS if exists(name)]


def twin(name: str, experiment: Experiment) -> Experiment | None:
    """The experiment of a twin; None where it would be no other than one before it."""
    make = ill(experiment, MAKE)
    backprop = experiment.with_rule(BASELINE)
    if name == "own":
        return experiment
    if name == "backprop":
        return backprop if experiment.learning.rule != BASELINE else None
    if name in ("sound", "relaxed"):
        if not make or (name == "relaxed" and not experiment.learning.facts.relaxes):
            return None
        return treated(backprop if name == "sound" else experiment, make)
    if name == "biased":
        return None if experiment.network.biases else treated(backprop, make).changed({"network.biases": True})
    if name in FACTORS:
        rate = rate_of(experiment) * FACTORS[name]
        return experiment.changed({"learning.learning_rate": rate}) if rate <= MOST_RATE else None
    if name.startswith("treated "):
        alone = name.removeprefix("treated ")
        if alone in RELAXING:
            exists = experiment.learning.facts.relaxes and bool(TREATMENTS[alone].changes(experiment))
        else:
            exists = alone in make and len(make) > 1
        return treated(experiment, [alone]) if exists else None
    planted = name.removeprefix("sound but ")
    return treated(backprop, [n for n in make if n != planted]) if planted in make else None


def rate_of(experiment: Experiment) -> float:
    """The weight learning rate, with `auto` resolved."""
    rate = experiment.learning.learning_rate
    return experiment.network.scaling.learning_rate if rate == "auto" else float(rate)
