"""Energy imbalance: how the activity step spreads energy over layers, and what spikes change (PCX paper, section 5;
Qi et al. 2025).

Shallow networks of few inference steps, as in the PCX paper: with small steps next to no energy reaches the first
layer, with large ones it is balanced. Deep networks with spikes: the step against the precision α between them; at
α = 1 nothing spikes.
"""

import math
from itertools import product
from typing import Any, NamedTuple

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.looks import PROGRAM_SECONDS, Parts
from pcviz.instruments.charts import Chart
from pcviz.instruments.reproduce.judging import claimed, curve_of, within
from pcviz.instruments.reproduce.statistics import Mean, fit, mean
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

SHARED: dict[str, Any] = {
    "network.parameterisation": "sp",
    "network.skips": False,
    "inference.solver": "gradient_descent",
    "learning.learning_rate": 1e-3,
}
SHALLOW: dict[str, Any] = {
    **SHARED,
    "network.depth": 4,
    "network.width": 128,
    "network.activation": "leaky_relu",
    "inference.steps": 8,
    "learning.optimiser": "adamw",
    "dtype": "float64",
}
DEEP: dict[str, Any] = {
    **SHARED,
    "network.depth": 15,
    "network.width": 64,
    "network.activation": "tanh",
    "network.initialisation": "lecun_normal",
    "inference.steps": 20,
    "inference.precision_schedule": "spiking",
}
SMALL, LARGE = 0.01, 1.0
"""The activity steps that claims compare."""
APART, BALANCED, POOR, CLOSE = 6.0, 1.0, 5.0, 1.0
"""Decades between the energies of layers with the small step at least, with the large one at most; points that the
large one loses at least, and the small one at most."""
LAW, LAW_OFF, LAW_MOST = 6.0, 0.5, 0.03
"""Decades of imbalance for each decade of the step, 2 (L - 1), give or take so much, up to this step."""
SPIKED, ALPHA, GAINED = 0.5, 1e-3, 10.0
"""In deep networks at this step, spikes with this α gain at least so many points."""


class Trial(NamedTuple):
    """One training: a shallow or a deep network, activity step, α, seed."""

    kind: str
    step: float
    alpha: float
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.kind} step {self.step:g} α={self.alpha:g} seed {self.seed}"


class Imbalance(NamedTuple):
    """Shallow networks at all `steps`, deep ones at all `deep_steps` and `alphas`."""

    steps: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
    deep_steps: tuple[float, ...] = (0.05, 0.1, 0.2, 0.5, 0.9)
    alphas: tuple[float, ...] = (1.0, 0.1, 0.01, 1e-3)
    seeds: tuple[int, ...] = (0, 1, 2)
    epochs: int = 8

    @property
    def cells(self) -> dict[str, Trial]:
        """The trainings by name; all of a seed before the next one."""
        trials = []
        for seed in self.seeds:
            trials += [Trial("shallow", step, 1.0, seed) for step in self.steps]
            trials += [Trial("deep", step, alpha, seed) for step, alpha in product(self.deep_steps, self.alphas)]
        return {trial.name: trial for trial in trials}

    def experiment_of(self, trial: Trial) -> Experiment:
        """The training of one network."""
        own = {"inference.step_size": trial.step, "seed": trial.seed}
        if trial.kind == "deep":
            own["inference.spike_alpha"] = trial.alpha
        made = from_paths({**(DEEP if trial.kind == "deep" else SHALLOW), **own})
        return made.changed({"learning.steps": self.epochs * made.steps_per_epoch})

    @property
    def parts(self) -> Parts:
        """Seconds that each training adds; the first of each kind compiles."""
        found: Parts = {}
        kinds = set()
        for name, trial in self.cells.items():
            compiles = 0.0 if trial.kind in kinds else 3 * PROGRAM_SECONDS
            found[name] = compiles + self.epochs * (0.07 if trial.kind == "deep" else 0.05)
            kinds.add(trial.kind)
        return found


def imbalance(energies: list[float]) -> float:
    """Decades between the greatest and the least layer energy."""
    return math.log10(max(energies) / min(energies)) if min(energies) > 0 else math.inf


def report(found: Cells, protocol: Imbalance) -> Report:
    """Energies and accuracies over the step, by layer and by epoch, accuracies over step and α, and the verdict."""

    def ratios(step: float, epoch: int) -> Mean:
        return mean([cell["energies"][epoch][0] / cell["energies"][epoch][-1] for cell in _of(found, step)], log=True)

    def by_layer(step: float) -> list[Mean]:
        rows = [cell["energies"][-1] for cell in _of(found, step)]
        return [mean([row[layer] for row in rows], log=True) for layer in range(depth)]

    depth, steps = SHALLOW["network.depth"], protocol.steps
    epochs = tuple(range(1, protocol.epochs + 1))
    reach = math.comb(SHALLOW["inference.steps"], depth - 1)
    law = [max(0.0, -2 * math.log10(reach * step ** (depth - 1))) for step in steps]
    charts = [
        Chart(
            "Imbalance of energies", "activity step", "decades between layers", steps,
            [curve_of("L = 4", [_imbalance(found, step) for step in steps], reference=law)],
            "log₁₀ of the greatest over the least layer energy in the last epoch. The law of small steps neglects how "
            "layers differ, and that errors decay.", log_x=True, reference="law of small steps",
        ),
        Chart(
            "Accuracy over the activity step", "activity step", "test accuracy, %", steps,
            [curve_of("L = 4", [_accuracy(found, step) for step in steps])],
            "Means over seeds with 95 % intervals.", log_x=True,
        ),
        Chart(
            "Energy by layer", "layer", "energy", tuple(range(1, depth + 1)),
            [curve_of(f"step {step:g}", by_layer(step)) for step in steps],
            "Of a training batch at the end of inference, mean of the last epoch.", log_y=True,
        ),
        Chart(
            "First energy over last, by epoch", "epoch", "E₁ / E_L", epochs,
            [curve_of(f"step {step:g}", [ratios(step, epoch - 1) for epoch in epochs]) for step in steps],
            "Whether training evens energies out.", log_y=True,
        ),
        Chart(
            "Accuracy by epoch", "epoch", "test accuracy, %", epochs,
            [
                curve_of(f"step {step:g}", [mean([c["accuracy"][e - 1] for c in _of(found, step)]) for e in epochs])
                for step in steps
            ],
            "Adam makes up for the size of an error, as far as it is above rounding and above Adam's ε.",
        ),
        Chart(
            "Accuracy over step and α, L = 15", "activity step", "test accuracy, %", protocol.deep_steps,
            [
                curve_of(f"α = {alpha:g}", [_accuracy(found, step, alpha, "deep") for step in protocol.deep_steps])
                for alpha in protocol.alphas
            ],
            "What errors count outside their spike; at α = 1 nothing spikes. A flat curve does not mind the step.",
            log_x=True,
        ),
    ]  # fmt: skip
    how = (
        f"digits, SP, {protocol.epochs} epochs, rate 0.001, {len(protocol.seeds)} seed(s); L=4: N=128, leaky relu, "
        "T=8, AdamW, float64; L=15: N=64, tanh, T=20, Adam, spikes, float32"
    )
    return Report(charts, verdict(found, protocol), how)


def _of(found: Cells, step: float, alpha: float = 1.0, kind: str = "shallow") -> Cells:
    return [cell for cell in found if (cell["kind"], cell["step"], cell["alpha"]) == (kind, step, alpha)]


def _accuracy(found: Cells, step: float, alpha: float = 1.0, kind: str = "shallow") -> Mean:
    return mean([cell["accuracy"][-1] for cell in _of(found, step, alpha, kind)])


def _imbalance(found: Cells, step: float) -> Mean:
    return mean([imbalance(cell["energies"][-1]) for cell in _of(found, step)])


def verdict(found: Cells, protocol: Imbalance) -> list[Claim]:
    """The claims with what was measured."""
    seen = found if len(found) == len(protocol.cells) else []
    best = max(protocol.steps, key=lambda step: _accuracy(seen, step).middle) if seen else protocol.steps[0]

    def lost(step: float) -> Mean:
        return _gap(_of(seen, best), _of(seen, step))

    def claim(text: str, value: Mean, **limits: float) -> Claim:
        return claimed(text, value, within(value, **limits))

    gained = _gap(_of(seen, SPIKED, ALPHA, "deep"), _of(seen, SPIKED, 1.0, "deep"))
    return [
        claim(
            f"step {SMALL:g}: energies of layers lie at least {APART:g} decades apart (published: up to 6)",
            _imbalance(seen, SMALL), least=APART,
        ),
        claim(
            f"step {LARGE:g}: they lie at most {BALANCED:g} decade apart (published: balanced)",
            _imbalance(seen, LARGE), most=BALANCED,
        ),
        claim(
            f"step {SMALL:g}: at most {CLOSE:g} point below the best accuracy (published: small steps are best)",
            lost(SMALL), most=CLOSE,
        ),
        claim(
            f"step {LARGE:g}: at least {POOR:g} points below the best accuracy (published: poor)",
            lost(LARGE), least=POOR,
        ),
        claim(
            f"up to step {LAW_MOST:g} the imbalance grows as a power of the step: {LAW:g} ± {LAW_OFF:g} decades each",
            _law(seen, protocol), least=LAW - LAW_OFF, most=LAW + LAW_OFF,
        ),
        claim(
            f"L = 15, step {SPIKED:g}: spikes with α = {ALPHA:g} gain at least {GAINED:g} points", gained, least=GAINED
        ),
    ]  # fmt: skip


def _gap(better: Cells, worse: Cells) -> Mean:
    """How much more accurate, seed by seed."""
    return mean([a["accuracy"][-1] - b["accuracy"][-1] for a, b in zip(better, worse, strict=True)])


def _law(found: Cells, protocol: Imbalance) -> Mean:
    """The power of 1 / step with which the ratio of energies grows."""
    own = [cell for step in protocol.steps if step <= LAW_MOST for cell in _of(found, step)]
    ratios = [10 ** imbalance(cell["energies"][-1]) for cell in own]
    law = fit([1 / cell["step"] for cell in own], ratios, [cell["seed"] for cell in own])
    if law is None or not math.isfinite(law.value):
        return mean([])
    return Mean(law.value, *(law.interval or (math.nan, math.nan)))


STUDIES = {
    "energy-imbalance": Study(
        "Energy imbalance",
        "how the activity step spreads energy over layers, what that does for accuracy, and what spikes change",
        "Pinchetti et al. 2025 (arXiv 2407.01163), section 5; Qi et al. 2025 (arXiv 2506.23800)",
        Imbalance(),
        Imbalance((1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0), (0.1, 0.5), (1.0, 1e-3), (0,), 5),
        report,
    )
}
