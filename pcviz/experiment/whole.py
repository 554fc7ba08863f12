"""The whole experiment, and the rules between its parts."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from pcviz.experiment import layer_rates
from pcviz.experiment.conflicts import conflicts
from pcviz.experiment.data import Data
from pcviz.experiment.inference import Inference
from pcviz.experiment.learning import Learning
from pcviz.experiment.network import Network, default_initialisation
from pcviz.experiment.parameterisations import PARAMETERISATIONS
from pcviz.experiment.precisions import PRECISIONS
from pcviz.experiment.rules import RULES
from pcviz.experiment.schema import flatten, unflatten, upgraded_document
from pcviz.experiment.section import Section, option


class Experiment(Section):
    """Everything that determines a run. Two equal experiments give bitwise equal runs on one device.

    Documents of earlier versions keep their meaning (pcviz.experiment.schema).
    """

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    schema_version: Literal[2] = Field(2, alias="schema", title="Schema", description="Version of this document.")
    network: Network = Field(default_factory=Network, title="Network")
    inference: Inference = Field(default_factory=Inference, title="Inference")
    learning: Learning = Field(default_factory=Learning, title="Learning")
    data: Data = Field(default_factory=Data, title="Data")
    seed: int = option(0, "Seed", "Fixes weights, data order and noise.", ge=0, le=2**32 - 1)
    dtype: Literal["float32", "float64"] = option(
        "float32", "Precision", "Number format of weights and activities.", advanced=True
    )

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_versions(cls, document: Any) -> Any:
        return _filled(upgraded_document(document)) if isinstance(document, dict) else document

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        for line in conflicts(self):
            raise ValueError(line)
        return self

    @property
    def hidden_layers(self) -> int:
        """H = L - 1."""
        return self.network.depth - 1

    @property
    def inference_steps(self) -> int:
        """T: the number of inference steps of training; 0 for backpropagation, which has none."""
        return self.relaxation_steps if self.learning.facts.relaxes else 0

    @property
    def relaxation_steps(self) -> int:
        """T, with `depth` resolved, whatever the rule: looks show a relaxation even where training has none."""
        return self.inference.steps_at(self.network.depth, spikes=self.learning.facts.spikes)

    @property
    def relaxes_plainly(self) -> bool:
        """Whether a weight step follows a relaxation on the energy itself (or none), which theory speaks of."""
        return self.network.facts.plain and self.learning.facts.plain and self.inference.is_plain

    def with_rule(self, rule: str) -> "Experiment":
        """This experiment with the rule `pc` or `bp`, and without options that go with its own rule only."""
        changes: dict[str, Any] = {"learning.rule": rule}
        if rule != "pc":
            changes["learning.forward_update"] = False
        if not self.network.facts.plain and self.inference.precision_schedule == "constant":
            changes["inference.precision_schedule"] = "spiking"  # other rules have times of their own
        return self.changed(changes)

    @property
    def steps_per_epoch(self) -> int:
        """Weight steps in one pass over the training examples; the incomplete last batch is dropped."""
        return self.data.train_count // self.learning.batch_size

    @property
    def bias_rates(self) -> list[float]:
        """The learning rates of the biases of layers 1 … L, to which `lr_scaling` does not apply: they have no
        premultiplier that it could make up for (theory.md 2.2)."""
        network, learning = self.network, self.learning
        base = network.scaling.learning_rate if learning.learning_rate == "auto" else learning.learning_rate
        factors = layer_rates.spread(layer_rates.factors_of(learning.layer_rates), network.depth)
        return [base * factor for factor in factors]

    @property
    def learning_rates(self) -> list[float]:
        """The weight learning rates of layers 1 … L with `auto`, `lr_scaling` and `layer_rates` resolved (theory.md
        2.2)."""
        network, learning = self.network, self.learning
        if learning.lr_scaling == "none":
            return self.bias_rates
        shape = network.width, network.depth
        scales = network.scaling.rate_scales(learning.optimiser, *shape, skips=network.skips, gamma=network.gamma)
        return [rate * scale for rate, scale in zip(self.bias_rates, scales, strict=True)]

    def __repr__(self) -> str:
        """The differences from the defaults, as Python code."""
        changes = self.differences()
        return f"Experiment().changed({changes})" if changes else "Experiment()"

    __str__ = __repr__

    def differences(self) -> dict[str, Any]:
        """Field path -> value, for every option that differs from its default. `from_paths` is the inverse."""
        values = flatten(self.model_dump())
        default = defaults(values)
        return {path: value for path, value in values.items() if value != default[path]}

    def changed(self, changes: dict[str, Any]) -> "Experiment":
        """This experiment with the options in `changes` (field path -> value) replaced; raises ValidationError."""
        return from_paths({**self.differences(), **changes})


def from_paths(values: dict[str, Any], *, form: bool = False) -> Experiment:
    """An experiment from field paths and values; `form` applies the tighter limits of form and URL.

    Raises pydantic.ValidationError (see `pcviz.experiment.faults` for its messages).
    """
    return Experiment.model_validate(unflatten(values), context={"form": form})


def followers(values: Mapping[str, Any]) -> dict[str, Any]:
    """Defaults that follow other options (`values` by field path): of the initial weights the parameterisation, of the
    relaxation the precision schedule and the learning rule."""
    chosen = values.get("network.parameterisation", Network().parameterisation)
    weights = {"network.initialisation": default_initialisation(chosen)} if chosen in list(PARAMETERISATIONS) else {}
    return {**weights, **_usual(values.get("learning.rule"), values.get("inference.precision_schedule"))}


def defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """The default of every field, where the others have these `values` (by field path)."""
    return {**flatten(Experiment().model_dump()), **followers(values)}


def _usual(rule: Any, schedule: Any) -> dict[str, Any]:
    """The relaxation that belongs to a learning rule and to a precision schedule; the rule prevails."""
    of_schedule = PRECISIONS[schedule].usual if schedule in list(PRECISIONS) else {}
    return {**of_schedule, **(RULES[rule].usual if rule in list(RULES) else {})}


def _filled(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the defaults that follow rule and schedule, where it leaves them out."""
    learning, inference = document.get("learning", {}), document.get("inference", {})
    if not isinstance(learning, dict) or not isinstance(inference, dict):
        return document  # the validation of the fields reports it
    usual = _usual(learning.get("rule"), inference.get("precision_schedule"))
    missing = unflatten({path: value for path, value in usual.items() if path.partition(".")[2] not in inference})
    return {**document, "inference": {**missing["inference"], **inference}} if missing else document


def fields() -> dict[str, Any]:
    """Field path -> pydantic FieldInfo, in reading order."""
    found: dict[str, Any] = {}
    for name, info in Experiment.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section):
            found |= {f"{name}.{inner}": field for inner, field in info.annotation.model_fields.items()}
        elif name != "schema_version":
            found[name] = info
    return found
