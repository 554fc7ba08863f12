"""What `reproduce` prints of each finding: a table beside the reported numbers, and how both were measured."""

from collections.abc import Callable
from itertools import product
from typing import Any

from pcviz.experiment.solvers import SOLVERS
from pcviz.instruments.reproduce.start_options import KINDS as START


def summary(document: dict[str, Any]) -> str:
    """The text for a terminal."""
    ended = [] if document["status"] == "done" else [document["status"], ""]
    return "\n".join([*ended, SUMMARIES[document["reproduction"]](document)])


def inference_budget(document: dict[str, Any]) -> str:
    """The table of budgets and exponents, alignment at the budget, and how both were measured."""
    protocol, solvers = document["protocol"], document["solvers"]
    depths = [str(depth) for depth in protocol["depths"]]
    heads = [f"L={depth}" for depth in depths]
    lines: list[str] = []
    measured = document["condition_number"]["by_depth"]
    for quantity in ("iterations", "passes"):
        rows = [["", *heads, "exponent [95 %]", "reported", "arrived"]]
        for row in solvers:
            budgets = [_budget(row[quantity][d], row["caps"][d], quantity) if d in measured else "–" for d in depths]
            there = f"{row['arrived']} of {row['arrived'] + row['not_arrived']}"
            exponent = _exponent(row[f"exponent_of_{quantity}"])
            rows.append([SOLVERS[row["solver"]].label, *budgets, exponent, _reported(row["reported"]), there])
        if quantity == "iterations":
            row = document["condition_number"]
            budgets = [f"{measured[d]:,.0f}" if d in measured else "–" for d in depths]
            rows.append(["condition number", *budgets, _exponent(row["exponent"]), _reported(row["reported"]), ""])
        lines += [f"{quantity} to {protocol['share']:.0%} of the initial excess energy, medians", *table(rows), ""]
    rows = [["", *heads]]
    for row in [*solvers, {"solver": None, "alignment": document["alignment_at_equilibrium"]}]:
        label = SOLVERS[row["solver"]].label if row["solver"] else "equilibrium"
        rows.append([label, *(_cosines(row["alignment"].get(d)) for d in depths)])
    lines += ["cosine with backprop's weight gradients at the budget, depth quartiles, input first", *table(rows), ""]
    best = document["best_of_ours"]
    if best:
        verdict = "at most" if best["kept"] else "above"
        exponent = _exponent({"value": best["exponent"], "interval": best["interval"]})
        lines.append(
            f"best of ours: {SOLVERS[best['solver']].label}, exponent {exponent}, its estimate {verdict} the promised "
            f"{best['promised']:g}; without {best['not_arrived']} networks where it did not arrive"
        )
    return "\n".join([*lines, *_how(document)])


def _budget(value: float | None, cap: int, quantity: str) -> str:
    if value is None:
        return f"> {cap:,}" if quantity == "iterations" else "not within cap"
    return f"{value:,.0f}"


def _cosines(quartiles: list[float | None] | None) -> str:
    return " ".join("–" if c is None or c != c else f"{c:.2f}" for c in quartiles or [None])


def _exponent(found: dict[str, Any] | None) -> str:
    if found is None:
        return "–"
    interval = found["interval"]
    return f"{found['value']:.2f}" + (f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else "")


def _reported(found: dict[str, float] | None) -> str:
    return "–" if found is None else f"{found['exponent']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


def _how(document: dict[str, Any]) -> list[str]:
    protocol = document["protocol"]
    return [
        f"muPC with skips at initialisation, digits, B={protocol['batch']}, float64; "
        f"N={', '.join(map(str, protocol['widths']))}; {', '.join(protocol['activations'])}; "
        f"{len(protocol['seeds'])} seed(s): {len(document['cells'])} networks in {document['seconds']:.0f} s",
        f"a budget counts if held for {protocol['hold']:.0%} more steps, gradient descent "
        f"({protocol['descent_dtype']}) for {protocol['descent_hold']:.0%}, at least {protocol['least_hold']}; "
        "energies after every step up to 100, then every 2 %",
        "exponents: one intercept for each width and activation, without networks that did not arrive within the cap",
        "reported exponents: steps until test accuracy nears backprop's (relu, N=32, MNIST), a different quantity",
        f"farthest that a solver went below F*: {document['largest_undercut']:.1e} of the initial excess",
    ]


def deep_methods(found: dict[str, Any]) -> str:
    """The table of accuracies beside the reported ones, the verdict, and how they were measured."""
    depths = [str(depth) for depth in found["protocol"]["depths"]]
    rows = [["test accuracy, %", *(f"L={depth}" for depth in depths), f"E₁/E_L at L={depths[-1]}", "reported"]]
    for row in found["methods"]:
        cells = [row["by_depth"][depth] for depth in depths]
        told = [
            "–" if c["accuracy"] is None else f"{c['accuracy']:.1f}" + (f" ± {c['spread']:.1f}" if c["spread"] else "")
            for c in cells
        ]
        ratio = cells[-1]["energy_ratio"]
        reported = " ".join(f"{row['reported'][depth]:g}" if depth in row["reported"] else "–" for depth in depths)
        rows.append([row["label"], *told, "–" if ratio is None else f"{ratio:.0e}", reported])
    words = {True: "kept", False: "NOT kept", None: "not known yet"}
    lines = []
    for claim in found["verdict"]:
        amount = "" if claim["measured"] is None else f" (measured: {claim['measured']:.1f})"
        lines.append(f"{words[claim['kept']]}: {claim['claim']}{amount}")
    set_up, seeds, epochs = found["set_up"], len(found["protocol"]["seeds"]), found["protocol"]["epochs"]
    how = (
        f"digits, N={set_up['network.width']}, tanh, LeCun initial weights, no skips, T={set_up['inference.steps']}, "
        f"Adam {set_up['learning.learning_rate']:g}, {epochs} epochs, {seeds} seed(s), float32"
    )
    elsewhere = "reported: another set-up (activation after the weights, biases, float64)"
    return "\n".join([*table(rows), "", *lines, "", how, elsewhere])


def table(rows: list[list[str]]) -> list[str]:
    """Rows of cells as lines with aligned columns, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]).rstrip()
        for row in rows
    ]


def transfer(found: dict[str, Any]) -> str:
    """The table of best rates, how far they move, the verdict, and how they were measured."""
    protocol = found["protocol"]
    what = protocol["path"].partition(".")[2]
    letter = {"width": "N", "depth": "L"}[what]
    rows = [["best weight rate (as good)", *(f"{letter}={size}" for size in protocol["sizes"]), "moves, decades"]]
    for row in found["kinds"]:
        best = [_rates(cell) for cell in row["by_size"].values()]
        rows.append([row["label"], *best, "–" if row["drift"] is None else f"{row['drift']:.2f}"])
    lines = []
    lines += [claim_line(claim) for claim in found["verdict"]]
    how = (
        f"digits, tanh, skips, gradient descent on activities with T = H, {protocol['weight_steps']} steps of Adam; "
        f"least training loss, best of {len(protocol['steps'])} activity step(s), geometric mean over "
        f"{len(protocol['seeds'])} seed(s); *: at the edge of the rates tried; {len(found['cells'])} networks in "
        f"{found['seconds']:.0f} s"
    )
    return "\n".join([*table(rows), "", *lines, "", how])


def _rates(found: dict[str, Any] | None) -> str:
    if found is None:
        return "–"
    return f"{found['rate']:.2g}{'' if found['interior'] else '*'} ({found['from']:.2g} to {found['to']:.2g})"


def pc_is_bp(found: dict[str, Any]) -> str:
    """The table of cosines over width and depth, the fits, the verdict, and how they were measured."""
    protocol = found["protocol"]
    lines: list[str] = []
    for data, time in product(protocol["data"], protocol["times"]):
        rows = [[f"{data}, t = {time}: cosine (worst layer)", *(f"N={width}" for width in protocol["widths"])]]
        for row in found["table"]:
            if (row["data"], row["time"]) == (data, time):
                told = ["–" if c is None else f"{c['total']:.4f} ({c['worst']:.3f})" for c in row["by_width"].values()]
                rows.append([f"L={row['depth']}", *told])
        lines += [*table(rows), ""]
    lines += [claim_line(claim) for claim in found["verdict"]]
    for fit in found["fits"]:
        if fit["factor"] is not None:
            law = f"1 - cos = {fit['factor']:.2g} (L/N)^{fit['slope']:.2f}"
            lines.append(f"{fit['data']}: {law}, {fit['points']} networks")
    how = (
        f"linear, μPC, skips, closed form, float64, {protocol['examples']} examples at most, Adam along the "
        f"gradients at the equilibrium, {len(protocol['seeds'])} seed(s): {len(found['cells'])} networks in "
        f"{found['seconds']:.0f} s"
    )
    return "\n".join([*lines, "", how])


def forward_pass(found: dict[str, Any]) -> str:
    """The table of tr S / K beside its expected value, the verdict, and how both were measured."""
    protocol = found["protocol"]

    def told(cell: dict[str, Any]) -> str:
        return f"{cell['rescaling']['mean']:.4g} ({cell['rescaling']['expected']:.4g})"

    lines = _by_place("tr S / K (expected)", found, told)
    how = (
        f"linear networks at the start, digits, float64; means over {protocol['seeds']} seeds: {len(found['cells'])} "
        f"cells in {found['seconds']:.0f} s"
    )
    return "\n".join([*lines, *map(claim_line, found["verdict"]), "", how])


def conditioning(found: dict[str, Any]) -> str:
    """The table of condition numbers, exponents, the verdict, and how both were measured."""
    protocol = found["protocol"]
    lines = _by_place("κ (λ_max)", found, lambda cell: f"{cell['condition']:.3g} ({cell['largest']:.1f})")
    laws = {kind: law for kind, law in found["exponents"].items() if law}
    lines += [f"{START[kind].label}: κ grows as H^{_exponent(law)}" for kind, law in laws.items()]
    how = (
        f"linear networks at the start, float64; geometric means over {protocol['seeds']} seed(s): "
        f"{len(found['cells'])} cells in {found['seconds']:.0f} s"
    )
    return "\n".join([*lines, "", *map(claim_line, found["verdict"]), "", how])


def _by_place(head: str, found: dict[str, Any], told: Callable[[dict[str, Any]], str]) -> list[str]:
    """A table for each width: a row for each kind of start, a column for each depth."""
    protocol = found["protocol"]
    cells = {(cell["kind"], cell["width"], cell["depth"]): told(cell) for cell in found["cells"]}
    lines: list[str] = []
    for width in protocol["widths"]:
        rows = [[f"N = {width}: {head}", *(f"L={depth}" for depth in protocol["depths"])]]
        for kind in protocol["kinds"]:
            rows.append([START[kind].label, *(cells.get((kind, width, depth), "–") for depth in protocol["depths"])])
        lines += [*table(rows), ""]
    return lines


def claim_line(claim: dict[str, Any]) -> str:
    """A claim, whether it is kept, and what was measured."""
    measured, ends = claim["measured"], claim["interval"]
    told = "" if measured is None else f" (measured: {measured:.4g}{_between(ends)})"
    return f"{KEPT[claim['kept']]}: {claim['claim']}{told}"


def _between(ends: list[float] | None) -> str:
    return f", {ends[0]:.3g} to {ends[1]:.3g}" if ends else ""


KEPT = {True: "kept", False: "NOT kept", None: "not known"}
SUMMARIES: dict[str, Callable[[dict[str, Any]], str]] = {
    "inference-budget": inference_budget,
    "deep-methods": deep_methods,
    "transfer-width": transfer,
    "transfer-depth": transfer,
    "forward-pass": forward_pass,
    "conditioning": conditioning,
    "pc-is-bp": pc_is_bp,
}
"""Finding -> its text."""
