"""Options of the network: architecture, parameterisation, output energy."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from pydantic import model_validator

from pcviz.experiment.activations import ACTIVATIONS
from pcviz.experiment.architectures import ARCHITECTURES, ArchitectureFacts
from pcviz.experiment.parameterisations import PARAMETERISATIONS
from pcviz.experiment.parameterisations import Parameterisation as Scaling
from pcviz.experiment.section import Section, one_of, option

if TYPE_CHECKING:
    Activation: TypeAlias = str
    Architecture: TypeAlias = str
    Parameterisation: TypeAlias = str
else:
    Activation = one_of(ACTIVATIONS)
    Architecture = one_of(ARCHITECTURES)
    Parameterisation = one_of(PARAMETERISATIONS)


class Network(Section):
    """The predictive coding network: architecture, parameterisation, output energy."""

    architecture: Architecture = option(
        "mlp", "Architecture", " ".join(facts.help for facts in ARCHITECTURES.values()), advanced=True
    )
    depth: int = option(
        16,
        "Depth L",
        "Number of weight matrices. A network of depth L has H = L - 1 hidden layers.",
        formula=r"\mu_1 = a_1 W_1 x,\quad \mu_l = a_l W_l \phi(z_{l-1}) + \tau_l z_{l-1},\quad l = 2 \dots L",
        simple=True,
        ge=2,
        le=512,
    )
    width: int = option(
        64, "Width N", "Units in each hidden layer.", formula=r"z_l \in \mathbb{R}^N", simple=True, ge=1, le=2048
    )
    activation: Activation = option(
        "relu", "Activation", "Applied to the activities before each linear map but the first.", formula=r"\phi"
    )
    parameterisation: Parameterisation = option(
        "mupc",
        "Parameterisation",
        "How predictions are scaled with width and depth: standard (sp), neural tangent (ntp), or Depth-μP for "
        "predictive coding (mupc), which with skip connections trains networks of 128 layers and more.",
        formula=r"\text{μPC: } a_1 = D^{-1/2},\; a_l = (NL)^{-1/2} \text{ (no skips: } N^{-1/2}\text{)},\;"
        r" a_L = 1/(\gamma N)",
        simple=True,
    )
    skips: bool = option(
        True, "Skip connections", "Identity skips around the hidden layers 2 to L - 1.", formula=r"\tau_l \in \{0, 1\}"
    )
    biases: bool = option(
        False,
        "Biases",
        "A learned offset for every unit, zero at the start, without premultiplier and weight decay. Its rate is not "
        "scaled with width and depth. Without biases a network is odd (tanh) or homogeneous (relu), which puts some "
        "data out of its reach.",
        formula=r"\mu_l = a_l W_l \phi(z_{l-1}) + \tau_l z_{l-1} + b_l",
    )
    auxiliary: int = option(
        2,
        "Auxiliary neurons",
        "On the skip of each residual block. With two an error comes down all skips undiminished; with one the output "
        "of each block shrinks it by the step size.",
        formula=r"\text{two: } B_1 = A_2 + B_2 \text{ of the block before},\; B_2 = B_1;\quad \pi_B = 1/\eta",
        advanced=True,
        needs={"network.architecture": ["residual"]},
        ge=1,
        le=2,
    )
    initialisation: Literal["uniform", "lecun_normal", "orthogonal", "normal"] = option(
        "uniform",
        "Initialisation",
        "Weights at the start. sp: uniform (±1/√fan-in, as jpc), lecun_normal (variance 1/fan-in) or orthogonal; "
        "ntp and mupc always start from the standard normal distribution.",
        formula=r"\text{uniform: } W_l \sim U(\pm N_{l-1}^{-1/2})",
        advanced=True,
    )
    loss: Literal["mse", "ce"] = option(
        "mse",
        "Output energy",
        "Half the squared output error (mse) or the cross-entropy of the softmax (ce, for classes).",
        formula=r"E_L = \tfrac{\lambda}{2}\lVert y - \mu_L\rVert^2 \text{ or } -\lambda \textstyle\sum_k y_k \log"
        r" \mathrm{softmax}(\mu_L)_k",
    )
    gamma: float = option(
        1.0,
        "Output scale γ",
        "Divides the output: below 1 the network stays lazy, above 1 its features move more.",
        formula=r"a_L \leftarrow a_L / \gamma",
        advanced=True,
        log=True,
        ge=1e-3,
        le=1e3,
    )
    output_precision: float = option(
        1.0,
        "Output precision λ",
        "Weight of the output energy against the hidden energies.",
        formula=r"E_L = \lambda\, \ell(y, \mu_L), \quad E_l = \tfrac12\lVert e_l\rVert^2 \text{ for } l < L",
        advanced=True,
        log=True,
        ge=1e-3,
        le=1e3,
    )

    @property
    def facts(self) -> ArchitectureFacts:
        """The facts about the architecture."""
        return ARCHITECTURES[self.architecture]

    @property
    def neurons(self) -> int:
        """Numbers that a hidden layer holds for each example, at most."""
        return self.width * self.facts.neurons

    @property
    def scaling(self) -> Scaling:
        """How predictions and rates scale with width and depth."""
        return PARAMETERISATIONS[self.parameterisation]

    @property
    def has_closed_form(self) -> bool:
        """Whether the least energy is known in closed form."""
        return self.facts.plain and has_closed_form([self.activation], self.loss)

    @model_validator(mode="before")
    @classmethod
    def _initialisation_follows_parameterisation(cls, data: Any) -> Any:
        if isinstance(data, dict) and "initialisation" not in data:
            chosen = data.get("parameterisation", cls.model_fields["parameterisation"].default)
            if chosen in list(PARAMETERISATIONS):  # else the validation of the field reports it
                return {**data, "initialisation": default_initialisation(chosen)}
        return data

    @model_validator(mode="after")
    def _initialisation_fits(self) -> Self:
        allowed = self.scaling.initialisations
        if self.initialisation not in allowed:
            raise ValueError(
                f"network.initialisation: {self.initialisation} does not go with network.parameterisation "
                f"{self.parameterisation} (allowed: {', '.join(allowed)})"
            )
        return self


def has_closed_form(activations: Iterable[str], loss: str) -> bool:
    """Whether the least energy of a network with these activations is known in closed form: for linear networks with
    the squared output error, whose energy is quadratic in the activities (theory.md 3.7)."""
    return set(activations) == {"linear"} and loss == "mse"


def default_initialisation(parameterisation: str) -> str:
    """The initial weight distribution that belongs to a parameterisation (theory.md 2.1)."""
    return PARAMETERISATIONS[parameterisation].initialisations[0]
