"""The charts of "PC becomes backprop": 1 - cosine against shape and time, and the loss over the least energy."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, TypeAlias

from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.reproduce.judging import curve_of
from pcviz.instruments.reproduce.statistics import mean
from pcviz.instruments.reproduce.studies.backprop_cells import SLOPE, WIDE, WIDEST, Backprop, is_converged
from pcviz.instruments.reproduce.study import Cells

Value: TypeAlias = Callable[[dict[str, Any]], float]
"""Of what was seen of a network."""

QUARTERS = ("first", "second", "third", "last")
MISS = Chart("1 - cosine", "", "1 - cos", (), (), "", log_x=True, log_y=True)
"""What charts of the miss share."""


def charts(converged: Cells, protocol: Backprop) -> list[Chart]:
    """All charts, of networks at the times at which their equilibria converged."""
    start = matching(converged, time=protocol.times[0])
    first = matching(start, data=protocol.data[0], activation=protocol.activations[0])
    return [
        _per_layer(start, protocol),
        _over_width(first, protocol),
        *([_over_time(converged, protocol)] if len(protocol.times) > 1 else []),
        *(_of_layers(start, activation, protocol) for activation in protocol.activations[:2]),
        _loss(first, protocol),
    ]


def matching(seen: Cells, **wanted: Any) -> Cells:
    """What was seen of the networks and times that fit."""
    return [one for one in seen if all(one[name] == value for name, value in wanted.items())]


def expected_excess(width: int, depth: int) -> float:
    """E[S] - 1 of linear μPC networks with skips (theory.md 4.3)."""
    return depth / width * ((1 + 1 / depth) ** (depth - 1) - 1)


def _per_layer(start: Cells, protocol: Backprop) -> Chart:
    shares = sorted({width / depth for width, depth in product(protocol.widths, protocol.depths)})
    law = [share**-SLOPE for share in shares]
    curves = [
        _curve(", ".join(kind), own, shares, lambda one: one["width"] / one["depth"], _miss, () if at else law)
        for at, (kind, own) in enumerate(_by_kind(start, protocol))
    ]
    return MISS._replace(
        title="1 - cosine with backprop",
        x="units for each layer, N/L",
        places=shares,
        curves=curves,
        help=f"The whole gradient at t = {protocol.times[0]}, all networks with so many units for each layer. Open "
        "circles: (L/N)², the predicted slope.",
        reference="(L/N)²",
    )


def _over_width(first: Cells, protocol: Backprop) -> Chart:
    curves = [_of_width(f"L = {depth}", matching(first, depth=depth), protocol, _miss) for depth in protocol.depths]
    return MISS._replace(
        title=f"1 - cosine, {_first(protocol)}",
        x="width N",
        places=protocol.widths,
        curves=curves,
        help=f"The whole gradient. Predicted is a slope of -2 at all depths, from some {WIDE} units for each layer on.",
    )


def _over_time(converged: Cells, protocol: Backprop) -> Chart:
    lasting = [one for one in converged if one["followed"] and all(map(is_converged, one["times"]))]
    wide = [one for one in lasting if one["width"] >= WIDEST * one["depth"]]
    curves = [
        _curve(", ".join(kind), own, protocol.times, lambda one: one["time"], _miss)
        for kind, own in _by_kind(wide, protocol)
    ]
    return MISS._replace(
        title="1 - cosine while weights learn",
        x="weight step t",
        places=protocol.times,
        curves=curves,
        help=f"The whole gradient, networks with {WIDEST} units for each layer or more that are followed.",
        log_x=False,
    )


def _of_layers(start: Cells, activation: str, protocol: Backprop) -> Chart:
    data, depth = protocol.data[0], max(protocol.depths)
    own = matching(start, data=data, activation=activation, depth=depth)
    curves = [_of_width(f"{name} quarter", own, protocol, _miss_of_quarter(at)) for at, name in enumerate(QUARTERS)]
    curves.append(_of_width("worst layer", own, protocol, lambda one: 1 - one["worst"]))
    return MISS._replace(
        title=f"1 - cosine by depth, L = {depth}, {activation}",
        x="width N",
        places=protocol.widths,
        curves=curves,
        help=f"{data}, t = {protocol.times[0]}. Quarters of the layers, input side first.",
    )


def _loss(first: Cells, protocol: Backprop) -> Chart:
    curves = [
        _of_width(
            f"L = {depth}",
            matching(first, depth=depth),
            protocol,
            lambda one: one["ratio"] - 1,
            [expected_excess(width, depth) for width in protocol.widths],
        )
        for depth in protocol.depths
    ]
    return MISS._replace(
        title=f"Loss over F*, {_first(protocol)}",
        x="width N",
        y="loss / F* - 1",
        places=protocol.widths,
        curves=curves,
        help="Predicted is a fall as L/N. Open circles: E[S] - 1 (theory.md 4.3).",
        reference="E[S] - 1",
    )


def _first(protocol: Backprop) -> str:
    return f"{protocol.data[0]}, {protocol.activations[0]}, t = {protocol.times[0]}"


def _by_kind(seen: Cells, protocol: Backprop) -> list[tuple[tuple[str, str], Cells]]:
    kinds = product(protocol.data, protocol.activations)
    return [((data, activation), matching(seen, data=data, activation=activation)) for data, activation in kinds]


def _miss(one: dict[str, Any]) -> float:
    return float(1 - one["total"])


def _miss_of_quarter(at: int) -> Value:
    return lambda one: 1 - one["quartiles"][at]


def _of_width(name: str, seen: Cells, protocol: Backprop, value: Value, reference: Sequence[float] = ()) -> Curve:
    return _curve(name, seen, protocol.widths, lambda one: one["width"], value, reference)


def _curve(
    name: str, seen: Cells, places: Sequence[float], place: Value, value: Value, reference: Sequence[float] = ()
) -> Curve:
    """Geometric means, with intervals, of what was seen at each of the places."""
    values: dict[float, list[float]] = {at: [] for at in places}
    for one in seen:
        values[place(one)].append(value(one))
    return curve_of(name, [mean(own, log=True) for own in values.values()], reference=reference)
