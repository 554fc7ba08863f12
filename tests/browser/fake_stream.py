"""A page with live panels and a stream whose events a test writes: the client side without Streamlit and worker."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import uvicorn
from plotly.offline import get_plotlyjs
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from pcviz.experiment import Experiment
from pcviz.frames import trace_rows
from pcviz.instruments.training.figures import PANELS
from pcviz.jobs.watch import SIGNS
from pcviz.live.assets import FOLDER, SCRIPTS, recording
from pcviz.store.values import encode_values
from pcviz.ui.panels import payload

RUN = "a" * 32
CHILD, SECOND = "b" * 32, "e" * 32
BASELINE = "c" * 32

HOST = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>live panels</title>
<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/live/live.css"><style>
:root { --st-text-color: #31333f; --st-background-color: #fff; --st-secondary-background-color: #f0f2f6;
  --st-border-color: rgba(49, 51, 63, 0.2); --st-primary-color: #0072B2; --st-font: system-ui, sans-serif; }
:root.dark { --st-text-color: #fafafa; --st-background-color: #0e1117; --st-secondary-background-color: #262730;
  --st-border-color: rgba(250, 250, 250, 0.2); --st-primary-color: #2579B0; }
body { margin: 0; display: flex;
  background: var(--st-background-color); color: var(--st-text-color); font: 16px var(--st-font); }
aside { width: 300px; flex: none; background: var(--st-secondary-background-color); height: 100vh; }
main { flex: 1; min-width: 0; padding: 12px 24px; } .head { height: 116px; }
@media (max-width: 700px) { aside { display: none; } main { padding: 12px 16px; } }
</style></head><body><aside></aside><main><div class="head">header and buttons</div><div id="mount"></div></main>
<script type="module">
import { mount } from "/live/live.js";
window.picks = [];
window.asked = [];
const tell = (name, value) => (name === "picked" ? window.picks : window.asked).push(value);
window.remount = (data) => (window.unmount = mount(document.getElementById("mount"), data, tell));
window.remount(await (await fetch("/data")).json());
</script></body></html>"""


@dataclass
class FakeStream:
    """What the page is given, the events of its stream so far, and what it asked for.

    `refuse`: status and text for whoever asks for the stream; `silent`: the stream does not answer at all.
    """

    url: str
    data: dict[str, Any] = field(default_factory=dict)
    events: list[bytes] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)
    open_streams: int = 0
    kept: list[str] = field(default_factory=list)
    refuse: tuple[int, str] | None = None
    silent: bool = False
    asked: int = 0
    plotly_status: int = 200
    seq: dict[str, int] = field(default_factory=dict)

    def show(self, experiment: Experiment, runs: tuple[str, ...] = (RUN,), **options: Any) -> None:
        """What the next page shows, by default the panels of a training, with a stream that begins anew."""
        panels = [name for name in PANELS if name != "decision-boundary" or experiment.data.facts.has_boundary]
        self.data = payload(experiment, list(runs), **{"keep": {RUN: "key"}, "panels": panels, **options})
        self.events, self.streams, self.seq, self.kept = [], [], {}, []
        self.refuse, self.silent, self.asked, self.plotly_status = None, False, 0, 200

    def send(self, event: str, **data: Any) -> None:
        """Publish an event of the stream."""
        identity = f"{len(self.events) + 1}"
        self.events.append(b"id: %s\nevent: %s\ndata: %s\n\n" % (identity.encode(), event.encode(), orjson.dumps(data)))

    def frame(self, kind: str, step: int, values: dict[str, Any], *, run: str = RUN, generation: int = 0) -> None:
        """Publish a frame, with the next number of its run."""
        self.seq[run] = self.seq.get(run, 0) + 1
        parent = RUN if run in (CHILD, SECOND) else None
        place = {"run": run, "parent": parent, "generation": generation, "seq": self.seq[run], "kind": kind}
        clock = {"step": step, "inference_step": 0, "epoch": step / 22, "seconds": step * 0.08}
        self.send("frame", **place, **clock, values=orjson.loads(encode_values(values)))

    def state(self, state: str, step: int = 0, *, run: str = RUN, generation: int = 0, **more: Any) -> None:
        """Publish a state."""
        parent = RUN if run in (CHILD, SECOND) else None
        fixed = {"run": run, "parent": parent, "kind": "train", "generation": generation, "state": state, "step": step}
        self.send("state", **{**fixed, "steps": 200, "seconds": step * 0.08, "message": "", "device": "cpu", **more})


@contextmanager
def fake_stream() -> Iterator[FakeStream]:
    """Serve the page until the block ends."""
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        port = int(listener.getsockname()[1])
    fake = FakeStream(f"http://localhost:{port}")
    config = uvicorn.Config(_app(fake), host="localhost", port=port, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield fake
    finally:
        server.should_exit = True
        thread.join(timeout=5)


def _app(fake: FakeStream) -> Starlette:
    plotly = get_plotlyjs()

    def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name == "plotly.js":
            return Response(plotly, fake.plotly_status, media_type="text/javascript")
        path = FOLDER / "live.css" if name == "live.css" else SCRIPTS[name.removesuffix(".js")]
        return FileResponse(path, headers={"cache-control": "no-cache"})

    async def frames(request: Request) -> Response:
        fake.asked += 1
        while fake.silent:
            await asyncio.sleep(0.02)
        if fake.refuse:
            status, text = fake.refuse
            return PlainTextResponse(text, status)
        fake.streams.append(str(request.url.query))
        cursor = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
        return StreamingResponse(_follow(fake, int(cursor)), media_type="text/event-stream")

    def keep(request: Request) -> Response:
        fake.kept.append(str(request.url.query))
        return Response("")

    return Starlette(
        routes=[
            Route("/", lambda request: HTMLResponse(HOST)),
            Route("/data", lambda request: Response(orjson.dumps(fake.data), media_type="application/json")),
            Route("/live/frames", frames),
            Route("/live/keep", keep, methods=["POST"]),
            Route("/live/recorded/{name}.json", recording),
            Route("/live/{name}", asset),
        ]
    )


async def _follow(fake: FakeStream, sent: int) -> AsyncIterator[bytes]:
    fake.open_streams += 1
    with contextlib.suppress(asyncio.CancelledError):
        try:
            yield b": hello\n\n"
            while True:
                while sent < len(fake.events):
                    sent += 1
                    yield fake.events[sent - 1]
                await asyncio.sleep(0.02)
        finally:
            fake.open_streams -= 1


HEALTHY = {f"{sign}_since": np.nan for sign in SIGNS} | {"unreached_layers": 0.0, "faint_layers": 0.0}
"""Channels of a training with nothing wrong."""


def train_values(experiment: Experiment, step: int) -> dict[str, Any]:
    """A plausible training frame: the error enters at layer L and spreads down by one layer per inference step."""
    layers, steps = experiment.network.depth, max(experiment.inference_steps, 1)
    noise = np.random.default_rng(step)
    rows = trace_rows(steps)
    loss = 0.45 * np.exp(-step / 60) + 0.01 + 0.02 * noise.random()
    depth = np.arange(1, layers + 1)
    behind = rows[:, None] - (layers - depth)[None, :]  # inference steps since the error arrived
    height = loss / layers * 10 ** (-2.5 * (layers - depth) / layers * np.exp(-step / 80))
    trace = np.where(behind >= 0, height * (1 - 0.7 ** (np.maximum(behind, 0) + 1)), 0.0)
    trace[:, -1] = loss * (0.15 + 0.85 / (1 + 0.3 * rows))
    update = np.where(behind >= 0, np.sqrt(height) * 0.9 ** np.maximum(behind, 0), 0.0)[:, :-1]
    update[0] = 0
    if step < 30:  # early on, the lowest layers get no signal at all
        trace[:, : layers // 6] = 0
        update[:, : layers // 6] = 0
    energy = trace[-1]
    return {
        "train_loss": loss,
        **history_values(step, train_loss=[loss, loss * 0.9, loss * 1.15], energy=energy),
        "test_loss": loss * 1.1,
        "test_accuracy": 1 - 0.85 * np.exp(-step / 50),
        "energy": energy,
        "total_energy": energy.sum(),
        "energy_left": 0.97,
        **HEALTHY,
        "expected_energy": energy * 1.2,
        "energy_off_theory": 0.31,
        "layers_expected": float((energy > 1e-12).sum()),
        "layers_learning": float((energy > 1e-12).sum()),
        "layers_with_signal": float((energy > 1e-12).sum()),
        "trace_steps": rows,
        "energy_trace": trace,
        "total_energy_trace": trace.sum(axis=1),
        "update_rms": update,
        "equilibrium_energy": float(energy.sum() * 0.6),
        "steps_per_second": 12.3,
        "seconds_left": (200 - step) / 12.3,
    }


def history_values(step: int, **values: Any) -> dict[str, Any]:
    """The row of one recorded weight step; `train_loss` is at the step, least, greatest."""
    row = {"train_loss": [0.5, 0.4, 0.6], "energy": np.ones(16), "test_loss": 0.5, "test_accuracy": 0.9, **values}
    row |= {"step": step, "epoch": step / 22, "seconds": step * 0.08, "total_energy": np.sum(row["energy"])}
    row = {"weight_change": np.full(len(row["energy"]), 1e-3), "sign": np.full(len(SIGNS), np.nan)} | row
    return {f"{name}_history": np.array([value]) for name, value in row.items()}


def landscape_values(done: float = 1.0, grid: int = 31) -> dict[str, Any]:
    """A bowl over four decades with a curved path, its lower part computed."""
    axis = np.linspace(-1.2, 1.2, grid)
    x, y = np.meshgrid(axis, axis)
    loss = 0.02 + 10 ** (3 * (x**2 + 0.6 * (y - 0.4 * x**2) ** 2) - 1)
    loss[round(done * grid) :] = np.nan
    time = np.linspace(0, 1, 40)
    return {
        "landscape": loss,
        "landscape_x": axis,
        "landscape_y": axis,
        "path_x": -0.9 * (1 - time) ** 1.5,
        "path_y": 0.8 * (1 - time) * np.cos(3 * time),
        "path_loss": 0.4 * np.exp(-3 * time),
        "path_steps": np.round(time * 200),
        "plane_is_pca": 1.0,
        "path_variance": 0.93,
        "path_length": 0.41,
        "landscape_done": done,
    }


def boundary_values(grid: int = 41) -> dict[str, Any]:
    """An S-shaped boundary between two half moons."""
    axis = np.linspace(-2, 2, grid)
    x, y = np.meshgrid(axis, axis)
    angle = np.random.default_rng(0).random(200) * np.pi
    kind = np.arange(200) % 2
    return {
        "boundary": np.tanh(2 * (y - np.sin(2 * x))),
        "boundary_x": axis,
        "boundary_y": axis,
        "points_x": np.where(kind, np.cos(angle), 1 - np.cos(angle)) - 0.5,
        "points_y": np.where(kind, np.sin(angle), 0.5 - np.sin(angle)),
        "points_class": kind,
    }
