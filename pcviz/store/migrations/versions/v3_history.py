"""Version 3: the history of a training by weight step is in channels of its own, with a row for each recorded step.
Frames of old trainings get one row each, of what they told: the last step before them."""

import base64
import json
import struct
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"

FRAMES = sa.table(
    "frames",
    *(sa.column(name) for name in ("run", "generation", "seq", "kind", "step", "epoch", "seconds", "scalars")),
)
RUNS = sa.table("runs", sa.column("id"), sa.column("generation"), sa.column("frame_bytes"))


def upgrade() -> None:
    connection, grown = op.get_bind(), dict[str, int]()
    keys = (FRAMES.c.run, FRAMES.c.generation, FRAMES.c.seq)
    # All keys first: who changes a table while reading it may meet a row twice.
    for key in connection.execute(sa.select(*keys).where(FRAMES.c.kind == "train")).all():
        mine = [column == value for column, value in zip(keys, key, strict=True)]
        frame = connection.execute(sa.select(FRAMES).where(*mine)).one()
        try:
            values = json.loads(frame.scalars)
            scalars = json.dumps(values | _row(frame, values))
        except (ValueError, TypeError, LookupError, AttributeError, struct.error):
            continue  # what cannot be read stays as it is
        connection.execute(sa.update(FRAMES).where(*mine).values(scalars=scalars))
        grown[frame.run] = grown.get(frame.run, 0) + len(scalars) - len(frame.scalars)
    for run, added in grown.items():
        more = {"frame_bytes": RUNS.c.frame_bytes + added}
        connection.execute(sa.update(RUNS).where(RUNS.c.id == run).values(more))


def _row(frame: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The channels of one row; none where the frame tells of no step."""
    if not {"train_loss", "energy", "total_energy"} <= values.keys():
        return {}
    energy = values["energy"]
    return {
        "step_history": {"dtype": "int32", "shape": [1], "base64": _packed("<i", frame.step)},
        "epoch_history": _numbers(frame.epoch),
        "seconds_history": _numbers(frame.seconds),
        "train_loss_history": values["train_loss"] | {"shape": [1, 3]},
        "energy_history": energy | {"shape": [1, *energy["shape"]]},
        "total_energy_history": _numbers(values["total_energy"]),
        "weight_change_history": _numbers(*[None] * energy["shape"][0]) | {"shape": [1, *energy["shape"]]},
        "test_loss_history": _numbers(values.get("test_loss")),
        "test_accuracy_history": _numbers(values.get("test_accuracy")),
    }


def _numbers(*values: float | None) -> dict[str, Any]:
    packed = _packed(f"<{len(values)}d", *(float("nan") if value is None else value for value in values))
    return {"dtype": "float64", "shape": [len(values)], "base64": packed}


def _packed(form: str, *values: float) -> str:
    return base64.b64encode(struct.pack(form, *values)).decode("ascii")
