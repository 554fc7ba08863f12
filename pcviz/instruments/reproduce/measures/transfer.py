"""Transfer: every cell is a short training."""

from pcviz.instruments.reproduce.measures.base import TRAINED

MEASURES = {"transfer-width": TRAINED, "transfer-depth": TRAINED}
