"""Published findings that are measured again."""

from typing import Any, ClassVar, Literal

from pcviz.experiment import Experiment
from pcviz.experiment.looks import GroupOptions, Parts
from pcviz.experiment.section import one_of
from pcviz.instruments.reproduce.studies import STUDIES
from pcviz.instruments.reproduce.study import Study


class Options(GroupOptions):
    """The options of a run of kind "reproduce": which `finding` is measured again, and by which of its protocols."""

    PAGE: ClassVar[str] = "findings"
    KEYS: ClassVar[dict[str, str]] = {"finding": "finding", "protocol": "protocol"}
    OF_NETWORK: ClassVar[bool] = False

    finding: one_of(STUDIES) = "inference-budget"  # type: ignore[valid-type]
    protocol: Literal["quick", "full"] = "quick"

    @property
    def study(self) -> Study:
        """What is measured again."""
        return STUDIES[self.finding]

    @property
    def chosen(self) -> Any:
        """The networks and limits."""
        return self.study.quick if self.protocol == "quick" else self.study.full

    def own_parts(self, experiment: Experiment) -> Parts:
        """The networks; the experiment does not matter."""
        found: Parts = self.chosen.parts
        return found


KINDS = {"reproduce": Options}
