"""The experiment: every option of pcviz, declared once.

Form, URL, command line and stored runs are all derived from these models: type, limits, default, label (`title`),
help (`description`) and formula stand beside each field, and the rules between options are validators here.
Symbols follow the literature: L depth, N width, B batch size, T inference steps, H = L - 1 hidden layers.
"""

from pcviz.experiment.data import DATASETS, Data, DatasetFacts, facts_of
from pcviz.experiment.inference import DEPTHS, FORM_STEPS_MAX, Inference, Solver
from pcviz.experiment.learning import Learning
from pcviz.experiment.network import Activation, Network, Parameterisation, default_initialisation, has_closed_form
from pcviz.experiment.section import Section, option
from pcviz.experiment.whole import Experiment, defaults, fields, followers, from_paths

__all__ = [
    "DATASETS",
    "DEPTHS",
    "FORM_STEPS_MAX",
    "Activation",
    "Data",
    "DatasetFacts",
    "Experiment",
    "Inference",
    "Learning",
    "Network",
    "Parameterisation",
    "Section",
    "Solver",
    "default_initialisation",
    "defaults",
    "facts_of",
    "fields",
    "followers",
    "from_paths",
    "has_closed_form",
    "option",
]
