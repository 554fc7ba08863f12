"""Options of inference, the relaxation of the activities."""

from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import ValidationInfo, field_validator

from pcviz.experiment.precisions import PRECISIONS
from pcviz.experiment.section import Section, one_of, option
from pcviz.experiment.solvers import SOLVERS, SolverFacts

DEPTHS = {"depth": 1, "2depth": 2, "4depth": 4, "8depth": 8}
"""Words for numbers of inference steps that follow the depth -> how often the error can travel from output to input."""

if TYPE_CHECKING:
    Solver: TypeAlias = str
    Schedule: TypeAlias = str
    Depths: TypeAlias = str
else:
    Depths = one_of(DEPTHS)
    Schedule = one_of(PRECISIONS)
    Solver = one_of(name for name, facts in SOLVERS.items() if facts.trains)
FORM_STEPS_MAX = 4096
"""Most inference steps that form and URL accept; Python and the command line accept any number."""


class Inference(Section):
    """The relaxation of the activities on the energy, with input and target clamped."""

    solver: Solver = option(
        "momentum",
        "Solver",
        "How activities descend the energy. "
        + " ".join(f"{facts.label}: {facts.help}." for facts in SOLVERS.values() if facts.trains),
        formula=r"\text{gradient descent: } z \leftarrow z - \eta\, \partial F / \partial z",
    )
    steps: int | Depths = option(
        "4depth",
        "Inference steps T",
        "Steps of one relaxation. `depth` stands for H = L - 1: from a feedforward start no error can reach the first "
        "layer in fewer steps (an error above rounding may need far more); for L with a precision schedule and with "
        "Z-IL, where every layer has a step of its own. `4depth` is four times that. Error-based inference reaches "
        "every layer in one step, and some 8 small ones go most of the way to the equilibrium.",
        formula=r"e_l(t) = 0 \text{ for } t < L - l \text{ (feedforward start, not error-based)}",
    )
    step_size: float = option(
        0.1,
        "Step size η",
        "Per example; jpc's learning rate is this times the batch size B.",
        formula=r"\text{gradient descent, quadratic energy: } \eta < 2/\lambda_{\max}(H_z)",
        log=True,
        gt=0,
        le=100,
    )
    momentum: float = option(
        0.9,
        "Momentum β",
        "Heavy-ball memory of the momentum solver; the other solvers ignore it.",
        formula=r"v \leftarrow \beta v + \partial F / \partial z",
        advanced=True,
        needs={"inference.solver": ["momentum"]},
        ge=0,
        lt=1,
    )
    initial: Literal["feedforward", "zero", "normal"] = option(
        "feedforward",
        "Initial activities",
        "Feedforward: each hidden layer starts at its prediction, so that all the energy sits at the output. Zero, or "
        "normal with standard deviation 0.05.",
        formula=r"z_l(0) = \mu_l(z_{l-1}(0))",
        advanced=True,
    )
    precision_schedule: Schedule = option(
        "constant",
        "Precision schedule",
        "How much the error of layer l counts at step t of the relaxation. Weights learn from errors that count alike. "
        "Others than constant bring plain gradient descent, where solver, steps and step size were not chosen. "
        + " ".join(f"{facts.label}: {facts.help}." for facts in PRECISIONS.values()),
        formula=r"z_l \leftarrow z_l - \eta\, (w_l(t)\, e_l - w_{l+1}(t)\, J_{l+1}^\top d_{l+1})",
    )
    spike_alpha: float = option(
        1e-3,
        "Precision α between spikes",
        "What the error of a layer counts outside its spike. At 1 nothing spikes.",
        formula=PRECISIONS["spiking"].formula,
        advanced=True,
        needs={"inference.precision_schedule": ["spiking"]},
        log=True,
        ge=0,
        le=1,
    )
    precision_decay: float = option(
        1.0,
        "Rate of decay k",
        "How fast the precision of a layer decays after the error has arrived there.",
        formula=PRECISIONS["decaying"].formula,
        advanced=True,
        needs={"inference.precision_schedule": ["decaying", "decaying_normalised"]},
        log=True,
        gt=0,
        le=100,
    )
    nudging: Literal["none", "positive", "negative", "centred"] = option(
        "none",
        "Nudging",
        "The output is pulled a little towards the target (positive), pushed away from it (negative), or both, each in "
        "a relaxation of its own (centred); the gradient is divided by the strength. none: the output is the target.",
        advanced=True,
    )
    nudge_strength: float = option(
        0.1,
        "Nudge strength β",
        "The smaller, the closer to backpropagation, and the closer to rounding.",
        formula=r"\text{hard: } \tilde y = \mu_L(0) + \beta\, (y - \mu_L(0)),\quad"
        r" \text{soft: } F + \beta\lambda\, \ell(y, z_L)",
        advanced=True,
        needs={"inference.nudging": ["positive", "negative", "centred"]},
        log=True,
        gt=0,
        le=1,
    )
    output_clamp: Literal["soft", "hard"] = option(
        "soft",
        "Output of a nudge",
        "soft: the output is free, and the loss counts β times. hard: it is clamped to a target that is nearer to the "
        "first output by the factor β (mse only).",
        advanced=True,
        needs={"inference.nudging": ["positive", "negative", "centred"]},
    )
    activity_decay: float = option(
        0.0,
        "Activity decay",
        "Pulls activities to zero during the relaxation: better conditioned, but to a shifted minimum. From the first "
        "step on it moves all layers.",
        formula=r"F + \tfrac{\alpha}{2} \textstyle\sum_l \lVert z_l \rVert^2",
        advanced=True,
        log=True,
        ge=0,
        le=10,
    )

    @property
    def facts(self) -> SolverFacts:
        """The facts about the solver."""
        return SOLVERS[self.solver]

    @property
    def has_front(self) -> bool:
        """Whether layers are exactly 0 until the output's error has come down to them, one layer per step."""
        return self.initial == "feedforward" and self.facts.space == "activities" and not self.activity_decay

    @property
    def is_plain(self) -> bool:
        """Whether the relaxation descends the energy itself: what theory says of relaxations holds for these only."""
        return (self.precision_schedule, self.nudging, self.activity_decay) == ("constant", "none", 0)

    def steps_at(self, depth: int, *, spikes: bool = False) -> int:
        """T for a network of `depth` layers, with words resolved: multiples of H, or of L where every layer has a step
        of its own (`spikes`: by the learning rule)."""
        if isinstance(self.steps, int):
            return self.steps
        return DEPTHS[self.steps] * (depth if spikes or self.precision_schedule != "constant" else depth - 1)

    @field_validator("steps", mode="after")
    @classmethod
    def _steps_within(cls, steps: int | str, info: ValidationInfo) -> int | str:
        form = bool((info.context or {}).get("form"))
        allowed = f"0 to {FORM_STEPS_MAX}" if form else "0 or more"
        allowed += f", or {', '.join(DEPTHS)}"
        if isinstance(steps, int) and steps < 0:
            raise ValueError(f"inference.steps: {steps} is below 0 (allowed: {allowed})")
        if isinstance(steps, int) and steps > FORM_STEPS_MAX and form:
            raise ValueError(f"inference.steps: {steps} is above {FORM_STEPS_MAX} (allowed: {allowed})")
        return steps
