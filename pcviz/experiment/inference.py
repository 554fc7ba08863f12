"""Options of inference, the relaxation of the activities."""

from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import ValidationInfo, field_validator

from pcviz.experiment.section import Section, one_of, option
from pcviz.experiment.solvers import SOLVERS, SolverFacts

if TYPE_CHECKING:
    Solver: TypeAlias = str
else:
    Solver = one_of(name for name, facts in SOLVERS.items() if facts.trains)
FORM_STEPS_MAX = 4096
"""Most inference steps that form and URL accept; Python and the command line accept any number."""


class Inference(Section):
    """The relaxation of the activities on the energy, with input and target clamped."""

    solver: Solver = option(
        "gradient_descent",
        "Solver",
        "How activities descend the energy. "
        + " ".join(f"{facts.label}: {facts.help}." for facts in SOLVERS.values() if facts.trains),
        formula=r"\text{gradient descent: } z \leftarrow z - \eta\, \partial F / \partial z",
    )
    steps: int | Literal["depth"] = option(
        "depth",
        "Inference steps T",
        "Steps of one relaxation. `depth` stands for H = L - 1: from a feedforward start no error can reach the first "
        "layer in fewer steps (an error above rounding may need far more). Error-based inference needs one step.",
        formula=r"e_l(t) = 0 \text{ for } t < L - l \text{ (feedforward start, not error-based)}",
    )
    step_size: float = option(
        0.3,
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

    @property
    def facts(self) -> SolverFacts:
        """The facts about the solver."""
        return SOLVERS[self.solver]

    @property
    def has_front(self) -> bool:
        """Whether layers are exactly 0 until the output's error has come down to them, one layer per step."""
        return self.initial == "feedforward" and self.facts.space == "activities"

    @field_validator("steps", mode="after")
    @classmethod
    def _steps_within(cls, steps: int | str, info: ValidationInfo) -> int | str:
        form = bool((info.context or {}).get("form"))
        allowed = f"0 to {FORM_STEPS_MAX}, or depth" if form else "0 or more, or depth"
        if isinstance(steps, int) and steps < 0:
            raise ValueError(f"inference.steps: {steps} is below 0 (allowed: {allowed})")
        if isinstance(steps, int) and steps > FORM_STEPS_MAX and form:
            raise ValueError(f"inference.steps: {steps} is above {FORM_STEPS_MAX} (allowed: {allowed})")
        return steps
