"""How fast the engine is: training steps, recording, sweeps, trainings in the app, memory, first calls (`make bench`).

The protocol keeps the numbers honest on a machine that does other work too. Variants are run in turn, A B A B, after a
warm-up; a result is the median of the ratios of each round; a run ends only when its new weights and losses are ready.
Three 1024³ float32 matrix products in every round give the machine's own peak: a round in which they took 15 % more or
less than usual is discarded and repeated, and where that does not help the result is flagged. On a CPU ratios are of
process CPU time (all threads), which other processes disturb least; wall time is shown beside it. Where a second
process or an idle core counts, and on an accelerator, wall time.

The baseline is `benchmarks.reference`: the same arithmetic as one jitted step of an unrolled network. B=64, D=64, K=10,
tanh, muPC with skips, gradient descent on activities, Adam on weights, float32. The baseline records nothing of the
relaxation, so neither does the engine, except where the cost of recording is what is measured.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import jax

from benchmarks import app, compiling, memory, steps, sweeps
from benchmarks.rounds import Bench
from benchmarks.rows import Row, line, slower
from benchmarks.runs import SHAPES
from pcviz.cli.flags import EXIT
from pcviz.cli.work import DONE, FAILED

ROUNDS, QUICK_ROUNDS, APP_ROUNDS = 8, 3, 4
PARTS: dict[str, Callable[[bool], Iterator[Row]]] = {
    "steps": lambda quick: steps.steady(_bench(quick), [s for s in steps.STEADY if s.width < 512 or not quick]),
    "reference": lambda quick: steps.against_reference(_bench(quick), steps.COMPARED),
    "recording": lambda quick: steps.recording(_bench(quick), steps.RECORDED),
    "compiling": lambda quick: compiling.first_calls(1 if quick else 3),
    "sweeps": lambda quick: sweeps.together(_bench(quick)),
    "app": lambda quick: app.live(Bench(QUICK_ROUNDS if quick else APP_ROUNDS), SHAPES),
    "memory": lambda quick: memory.corners(),
    "scale": lambda quick: steps.scale(_bench(quick), steps.SCALE),
}
"""What is measured; the argument asks for fewer rounds."""
QUICK_PARTS = [part for part in PARTS if part not in ("app", "memory", "scale")]


def _bench(quick: bool) -> Bench:
    return Bench(QUICK_ROUNDS if quick else ROUNDS)


def measure(parts: Collection[str], quick: bool, report: Callable[[Row], None]) -> tuple[list[Row], bool]:
    """The rows, and whether they are complete: Ctrl-C keeps the rows so far. `report` is called with each new row."""
    rows = []
    with contextlib.suppress(KeyboardInterrupt):
        for part in parts:
            for result in PARTS[part](quick):
                rows.append(result)
                report(result)
        return rows, True
    return rows, False


def _document(file: str) -> list[dict[str, Any]]:
    """The rows of a document that `--json` printed. Raises ArgumentTypeError in one line if it is none."""
    try:
        rows: list[dict[str, Any]] = json.loads(Path(file).read_text())["rows"]
        slower([], rows)
    except (OSError, ValueError, KeyError, TypeError) as fault:
        reason = str(fault).splitlines()[0] if str(fault) else type(fault).__name__
        raise argparse.ArgumentTypeError(
            f"{file}: not a document of bench --json of this version ({reason})"
        ) from fault
    return rows


class Parser(argparse.ArgumentParser):
    """Reports a wrong argument in one line."""

    def error(self, message: str) -> NoReturn:
        print(f"bench: {message}", file=sys.stderr)
        raise SystemExit(2)


def main(argv: list[str]) -> int:
    """Measure and print; 0 when done, whatever the numbers."""
    parser = Parser(prog="python -m pcviz bench", description=__doc__.splitlines()[0], epilog=EXIT)
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.add_argument(
        "--quick", action="store_true", help=f"fewer rounds, no networks of width 512; {', '.join(QUICK_PARTS)} only"
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument(
        "--compare", metavar="OLD.json", type=_document, help="say what is slower than in an earlier run"
    )
    options = parser.parse_args(argv)
    parts = options.only or (QUICK_PARTS if options.quick else list(PARTS))
    jax.config.update("jax_enable_compilation_cache", False)
    device = jax.devices()[0]
    facts = {
        "device": device.device_kind if device.platform != "cpu" else f"cpu, {os.cpu_count()} cores",
        "jax": jax.__version__,
        "clock": "cpu" if device.platform == "cpu" else "wall",
    }
    if options.json:
        report = (lambda result: print(line(result), file=sys.stderr)) if sys.stderr.isatty() else (lambda _: None)
        rows, whole = measure(parts, options.quick, report)
        document = {**facts, "status": "done" if whole else "stopped", "rows": [asdict(r) for r in rows]}
        if options.compare is not None:
            document["slower"] = slower(rows, options.compare)
        print(json.dumps(document))
        return DONE if whole else FAILED
    print(f"{facts['device']}, jax {facts['jax']}; ratios of {facts['clock']} time, beside them of wall time\n")
    print(f"{'':<45} {'':<18} {facts['clock']:>9} {'':<3}{'wall':>9} {'must':>8}")
    rows, whole = measure(parts, options.quick, lambda result: print(line(result), flush=True))
    judged_rows = [r for r in rows if r.met is not None]
    print(f"\n{sum(bool(r.met) for r in judged_rows)} of {len(judged_rows)} requirements met")
    if not all(r.steady for r in rows):
        print("Some rows are flagged: other work changed the speed of this machine by more than 15 % while they ran.")
    if options.compare is not None:
        print("\n" + "\n".join(slower(rows, options.compare) or ["Nothing is slower than before, beyond noise."]))
    return DONE if whole else FAILED


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
