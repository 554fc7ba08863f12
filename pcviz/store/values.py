"""The values of a frame as the store keeps them and streams carry them."""

import base64
from typing import Any

import numpy as np
import orjson

from pcviz.frames import Channel, Value
from pcviz.instruments import CHANNELS


def encode_values(values: dict[str, Value], *, bulk: bool | None = None) -> bytes:
    """JSON of the values; arrays become {dtype, shape, base64} (little endian), non-finite numbers null.

    With `bulk` given, only the channels that are (True) or are not (False) bulk. Raises KeyError for a name that is no
    channel.
    """
    chosen = {name: value for name, value in values.items() if bulk is None or CHANNELS[name].bulk == bulk}
    return orjson.dumps({name: _encode(CHANNELS[name], value) for name, value in chosen.items()})


def _encode(channel: Channel, value: Value) -> Any:
    if not channel.dims:
        return float(value)
    array = np.ascontiguousarray(value, dtype=np.dtype(channel.dtype).newbyteorder("<"))
    return {
        "dtype": channel.dtype,
        "shape": list(array.shape),
        "base64": base64.b64encode(array.tobytes()).decode("ascii"),
    }


def decode_values(payload: bytes) -> dict[str, Value]:
    """Inverse of `encode_values` (null becomes NaN)."""
    return {name: _decode(value) for name, value in orjson.loads(payload).items()}


def _decode(value: Any) -> Value:
    if isinstance(value, dict):
        array = np.frombuffer(base64.b64decode(value["base64"]), dtype=value["dtype"])
        return array.reshape(value["shape"])
    return float("nan") if value is None else float(value)
