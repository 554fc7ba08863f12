"""Options of learning: rule, optimiser, rates."""

from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import ValidationInfo, field_validator

from pcviz.experiment.layer_rates import factors_of, text_of
from pcviz.experiment.parameterisations import PARAMETERISATIONS
from pcviz.experiment.rules import RULES, RuleFacts
from pcviz.experiment.section import Section, one_of, option

if TYPE_CHECKING:
    Rule: TypeAlias = str
else:
    Rule = one_of(RULES)


class Learning(Section):
    """The weight update: when it happens, and what weights learn from."""

    rule: Rule = option(
        "pc",
        "Learning rule",
        " ".join(f"{name}: {facts.help}." for name, facts in RULES.items()),
        formula=r"\partial F / \partial W_l = -\tfrac{a_l}{B}\, d_l^\top \phi(z_{l-1}),\; d_{l<L} = e_l,\;"
        r" d_L = \lambda e_L",
        simple=True,
    )
    optimiser: Literal["adam", "sgd", "adamw"] = option("adam", "Weight optimiser", "Descends the energy's gradient.")
    learning_rate: float | Literal["auto"] = option(
        "auto",
        "Weight learning rate",
        f"`auto`: {', '.join(f'{row.learning_rate:g} for {name}' for name, row in PARAMETERISATIONS.items())}.",
        log=True,
    )
    adam_epsilon: float = option(
        1e-8,
        "Adam ε",
        "Added to the root of Adam's second moment: gradients far below it hardly move their weights.",
        formula=r"m / (\sqrt{v} + \epsilon)",
        advanced=True,
        needs={"learning.optimiser": ["adam", "adamw"]},
        log=True,
        gt=0,
        le=1,
    )
    lr_scaling: Literal["none", "width_depth"] = option(
        "none",
        "Learning-rate scaling",
        "`width_depth` multiplies the rate so that it transfers across sizes. For mupc with Adam: by (N L)^-1/2 with "
        "skips, N^-1/2 without; for mupc with sgd: by γ² N; for sp and ntp: by 1.",
        formula=r"\text{μPC, Adam, skips: } \eta_W \leftarrow \eta_W\, (NL)^{-1/2}",
        advanced=True,
    )
    forward_update: bool = option(
        False,
        "Forward update",
        "Weights learn from how far the relaxation moved each layer, with the activities of the feedforward pass as "
        "inputs, instead of the errors and activities at its end.",
        formula=r"\partial F / \partial W_l = -\tfrac{a_l}{B}\, (z_l(T) - z_l(0))^\top \phi(z_{l-1}(0))",
        needs={"learning.rule": ["pc"]},
    )
    layer_rates: str = option(
        "1",
        "Learning rates by layer",
        "Factors of the learning rates, one or several separated by commas: spread evenly over layers 1 to L, and "
        "interpolated geometrically. 10,1: the first layer learns ten times as fast as the output, with L numbers each "
        "layer has its own.",
        formula=r"\eta_l \leftarrow f_l\, \eta_l",
        advanced=True,
        coerce_numbers_to_str=True,
    )
    batch_size: int = option(64, "Batch size B", "Examples in one weight step.", ge=1, le=8192)
    steps: int = option(200, "Weight steps", "Batches to train on.", ge=1, le=1_000_000)
    weight_decay: float = option(
        0.0,
        "Weight decay",
        "Pulls weights to zero: decoupled from the gradient for adamw, added to it for adam and sgd.",
        advanced=True,
        log=True,
        ge=0,
        le=10,
    )
    weight_norm: float | Literal["none"] = option(
        "none",
        "Weight norm",
        "After every weight step each matrix is rescaled so that its map has about this spectral norm, as estimated "
        "from the spread of its entries. `none`: no rescaling. Biases are left alone, and so is a matrix of one entry.",
        formula=r"\left(\sqrt{N_l} + \sqrt{N_{l-1}}\right) \mathrm{std}(a_l W_l)",
        advanced=True,
        log=True,
    )

    @property
    def facts(self) -> RuleFacts:
        """The facts about the rule."""
        return RULES[self.rule]

    @field_validator("layer_rates", mode="after")
    @classmethod
    def _factors_spelt_in_one_way(cls, text: str) -> str:
        return text_of(factors_of(text))

    @field_validator("learning_rate", "weight_norm", mode="after")
    @classmethod
    def _number_within(cls, value: float | str, info: ValidationInfo) -> float | str:
        name = info.field_name or ""
        if isinstance(value, float) and not 0 < value <= 100:
            bound, word = "is not above 0" if value <= 0 else "is above 100", cls.model_fields[name].default
            raise ValueError(f"learning.{name}: {value:g} {bound} (allowed: above 0 to 100, or {word})")
        return value
