"""AdamW and width: every cell is a short training."""

from pcviz.instruments.reproduce.measures.base import TRAINED

MEASURES = {"adamw-width": TRAINED}
