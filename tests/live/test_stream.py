"""The live routes: nothing lost, nothing twice, nobody kept waiting, nobody let in who should not be."""

import asyncio
import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import plotly.offline
import psutil
import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.frames import Frame
from pcviz.live import hub as hub_module
from pcviz.live.hub import Hub, Subscriber, format_cursor, parse_cursor
from pcviz.live.stream import Live
from pcviz.settings import Settings
from pcviz.store import Observations, StoreFault
from pcviz.store.values import decode_values
from tests.live.live_server import Event, polling, request, served, stream, wait_until


@pytest.fixture
def live(database_url: str) -> Live:
    return Live(Settings(database=database_url))


@pytest.fixture
def worker(live: Live) -> Iterator[Observations]:
    worker = live.client.store.observations("host:1:a")
    yield worker
    worker.close()


@pytest.fixture
def port(live: Live) -> Iterator[int]:
    with served(live) as port:
        yield port


def start(live: Live, worker: Observations) -> str:
    run = live.client.start(Experiment(), "s")
    claim(live, worker, run)
    return run


def claim(live: Live, worker: Observations, run: str) -> None:
    assert worker.claim(live.client.get(run))
    worker.observe(run, live.client.get(run).generation, state="running")


def publish(worker: Observations, run: str, seq: int, *, generation: int = 1, **observed: object) -> None:
    values = {"energy": np.full(3, float(seq)), "test_loss": float("nan"), "energy_trace": np.full((2, 3), float(seq))}
    worker.publish(Frame("train", seq, values, run=run, generation=generation, seq=seq), **observed)


def take(events: Iterator[Event], until: str = "end") -> list[Event]:
    """Events up to the first with this name or state."""
    taken = []
    for event in events:
        taken.append(event)
        if event.name == until or event.data.get("state") == until:
            return taken
    raise AssertionError(f"the stream ended without {until}")


def seqs(events: list[Event], run: str) -> list[int]:
    return [event.data["seq"] for event in events if event.name == "frame" and event.data["run"] == run]


def test_history_then_live_then_end(live: Live, worker: Observations, port: int) -> None:
    run = start(live, worker)
    for seq in (1, 2, 3):
        publish(worker, run, seq)
    with stream(port, f"runs={run}") as events:
        before = take(events, "running")
        publish(worker, run, 4)
        publish(worker, run, 5, state="done")
        after = take(events)
    assert seqs(before, run) == [1, 2, 3] and seqs(after, run) == [4, 5]
    assert [event.name for event in after] == ["frame", "frame", "state", "end"]
    with_bulk = [event.data["seq"] for event in before if "energy_trace" in event.data.get("values", {})]
    assert with_bulk == [3], "old frames come without their bulk channels"
    frame = after[1]
    assert frame.id == f"{run}.1.5" and frame.data["parent"] is None and frame.data["kind"] == "train"
    assert frame.data["values"]["test_loss"] is None
    assert frame.data["values"]["energy"]["shape"] == [3]
    stored = live.client.last_frame(run)
    assert stored is not None
    np.testing.assert_array_equal(stored.values["energy_trace"], np.full((2, 3), 5.0))
    state = after[2].data
    assert (state["state"], state["step"], state["generation"], state["wanted"]) == ("done", 5, 1, "running")


def test_a_cursor_resumes_without_gap_or_duplicate(live: Live, worker: Observations, port: int) -> None:
    run = start(live, worker)
    child = live.client.add_child(run, "landscape")
    claim(live, worker, child)
    for seq in range(1, 8):
        publish(worker, run, seq)
    publish(worker, child, 1)
    seen: list[Event] = []
    with stream(port, f"runs={run}") as events:
        seen += [next(events) for _ in range(3)]
    with stream(port, f"runs={run}&after={seen[-1].id}") as events:
        seen += take(events, "frame")
        publish(worker, run, 8)
    # The header of a reconnecting browser is newer than the address that it opened first.
    with stream(port, f"runs={run}&after={run}.1.1", {"Last-Event-ID": seen[-1].id}) as events:
        publish(worker, child, 2, state="done")
        publish(worker, run, 9, state="done")
        seen += take(events)
    assert seqs(seen, run) == list(range(1, 10)) and seqs(seen, child) == [1, 2]
    child_frames = [event.data for event in seen if event.data.get("run") == child]
    assert all(data["parent"] == run for data in child_frames)
    assert parse_cursor(seen[-1].id) == {run: (1, 9), child: (1, 2)}


def test_a_reset_is_seen_live_and_after_the_end(live: Live, worker: Observations, port: int) -> None:
    run = start(live, worker)
    publish(worker, run, 1)
    with stream(port, f"runs={run}") as events:
        take(events, "running")
        live.client.reset(run)
        queued = take(events, "queued")[-1]
        assert (queued.data["generation"], queued.data["step"]) == (2, 0)
        claim(live, worker, run)
        publish(worker, run, 1, generation=2, state="done")
        last = take(events)[-1]
    live.client.reset(run)
    claim(live, worker, run)
    publish(worker, run, 1, generation=3)
    with stream(port, f"runs={run}&after={last.id}") as events:
        again = take(events, "running")
    assert [(event.data["generation"], event.data["seq"]) for event in again if event.name == "frame"] == [(3, 1)]


def test_a_stream_of_two_runs_ends_with_the_later_one(live: Live, worker: Observations, port: int) -> None:
    runs = [start(live, worker) for _ in range(2)]
    with stream(port, f"runs={','.join(runs)}") as events:
        publish(worker, runs[0], 1, state="failed", message="it broke")
        failed = take(events, "failed")[-1]
        assert failed.data["message"] == "it broke"
        publish(worker, runs[1], 1, state="cancelled")
        assert take(events)[-1].data["runs"] == runs


def test_a_child_can_be_streamed_alone(live: Live, worker: Observations, port: int) -> None:
    child = live.client.add_child(start(live, worker), "landscape")
    claim(live, worker, child)
    publish(worker, child, 1, state="done")
    with stream(port, f"runs={child}") as events:
        assert [event.name for event in take(events)] == ["frame", "state", "end"]


def test_a_long_history_arrives_whole(
    live: Live, worker: Observations, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "PAGE", 20)
    run = start(live, worker)
    for seq in range(1, 91):
        publish(worker, run, seq)
    worker.observe(run, 1, state="done")
    with stream(port, f"runs={run}") as events:
        assert seqs(take(events), run) == list(range(1, 91))


def test_a_busy_subscriber_gets_the_last_event(live: Live, worker: Observations) -> None:
    run = start(live, worker)

    async def scenario() -> bytes:
        hub, subscriber = Hub(live.client.store), Subscriber([run], {})
        hub.subscribe(subscriber)
        received = await subscriber.batch(5.0) or b""
        publish(worker, run, 1)
        while not subscriber.busy:
            await asyncio.sleep(0.01)
        publish(worker, run, 2)
        publish(worker, run, 3, state="paused")  # nothing commits after this
        await asyncio.sleep(0.3)
        while b'"paused"' not in received:
            batch = await subscriber.batch(5.0)
            assert batch is not None
            received += batch
        hub.unsubscribe(subscriber)
        while polling():
            await asyncio.sleep(0.01)
        return received

    received = asyncio.run(scenario())
    assert [received.count(b'"seq":%d,' % seq) for seq in (1, 2, 3)] == [1, 1, 1]


def test_frames_are_limited_but_states_are_not(live: Live, worker: Observations) -> None:
    run = start(live, worker)

    async def scenario() -> None:
        hub, subscriber = Hub(live.client.store), Subscriber([run], {})
        hub.subscribe(subscriber)
        await subscriber.batch(5.0)
        subscriber.sent_at = time.monotonic() + 3600  # no frame is due for an hour
        publish(worker, run, 1)
        assert await subscriber.batch(0.3) is None
        worker.observe(run, 1, state="paused")
        batch = await subscriber.batch(5.0) or b""
        assert b"event: frame" in batch and b"event: state" in batch
        hub.unsubscribe(subscriber)

    asyncio.run(scenario())


def test_a_fault_of_the_store_is_told_once_and_its_end_too(
    live: Live, worker: Observations, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(wanted: object) -> None:
        raise StoreFault("the store is locked")

    monkeypatch.setattr(hub_module, "FAULT_SECONDS", 0.02)
    run = start(live, worker)
    with stream(port, f"runs={run}") as events:
        take(events, "running")
        with monkeypatch.context() as broken:
            broken.setattr(live.client.store.reader, "families", locked)
            publish(worker, run, 1)
            assert take(events, "fault")[-1].data == {"message": "the store is locked"}
            publish(worker, run, 2)
        since = take(events, "fault")
        assert since[-1].data == {"message": ""}
        publish(worker, run, 3, state="done")
        assert seqs([*since, *take(events)], run) == [1, 2, 3]


def test_the_poller_ends_with_the_last_stream(live: Live, worker: Observations, port: int) -> None:
    run = start(live, worker)
    wait_until(lambda: not polling())  # those of other tests
    with stream(port, f"runs={run}") as events:
        take(events, "running")
        assert polling()
        worker.observe(run, 1, state="done")
        take(events)
    wait_until(lambda: not polling())


def test_keep_and_stream_renew_the_run(live: Live, worker: Observations, port: int) -> None:
    run = start(live, worker)
    for ask in (lambda: request(port, f"/live/keep?runs={run}", method="POST"), lambda: stream(port, f"runs={run}")):
        before = live.client.get(run).seen_at
        time.sleep(0.01)
        answer = ask()
        if not isinstance(answer, tuple):
            with answer as events:
                next(events)
        else:
            assert answer[0].status == 204
        assert live.client.get(run).seen_at > before


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/live/frames", 400, "runs: 0 ids given (allowed: 1 to 64)"),
        ("/live/frames?runs=nope", 404, "runs: there is no run 'nope'"),
        ("/live/frames?runs={run}&after=x", 400, "after: 'x' is not <run>.<generation>.<seq>"),
        ("/live/frames?runs={run}&after={run}.1.1%0Aevent", 400, "is not <run>.<generation>.<seq>"),
        ("/live/frames?runs={run}&runs={run}", 400, "runs: given more than once"),
        ("/live/frames?runs={run}&after=&after=", 400, "after: given more than once"),
        ("/live/frames?runs=%00", 404, "runs: there is no run"),
        ("/live/secrets.js", 404, "There is no such script"),
        ("/live/%00.js", 404, "There is no such script"),
        ("/live/" + "a" * 300 + ".js", 404, "There is no such script"),
        ("/live/..%2Fstream.js", 404, "Not Found"),
    ],
)
def test_bad_requests_get_one_clear_line(live: Live, port: int, path: str, status: int, message: str) -> None:
    response, body = request(port, path.format(run=live.client.start(Experiment(), "s")))
    assert response.status == status and message in body.decode()


def test_on_a_shared_server_only_who_may_steer_keeps_a_run_going(
    database_url: str, worker: Observations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "RENEW_SECONDS", 0.0)
    live = Live(Settings(database=database_url, shared=True))
    client = live.client
    anna, ben = "a" * 64, "b" * 64
    run, other = (client.start(Experiment(), "s", key) for key in (anna, ben))
    claim(live, worker, run)
    theirs = client.keep_token(other, ben)

    def seen() -> float:
        return client.get(run).seen_at

    with served(live) as port:
        before = seen()
        for token in ("", theirs, run, anna, "%C3%BC", f"{theirs},{client.get(run).owner}"):
            for runs in (run, f"{other},{run}"):
                response, body = request(port, f"/live/keep?runs={runs}&keep={token}", method="POST")
                assert response.status == 403
                assert body.decode() == "keep: This run belongs to somebody else: watching does not keep it going"
            with stream(port, f"runs={run},{other}&keep={token}") as events:
                take(events, "running")
                published = client.get(run).seq + 1
                publish(worker, run, published)  # the poller has been round since it could have renewed
                while next(events).data.get("seq") != published:
                    pass
        assert seen() == before
        for ask in (
            lambda mine: request(port, f"/live/keep?runs={run}&keep={mine}", method="POST"),
            lambda mine: take_running(port, f"runs={run},{other}&keep={mine}"),
        ):
            before = seen()
            time.sleep(0.01)
            ask(client.keep_token(run, anna))
            assert seen() > before


def take_running(port: int, query: str) -> None:
    with stream(port, query) as events:
        take(events, "running")


def test_plotly_is_cached_and_packed(port: int) -> None:
    response, body = request(port, "/live/plotly.js", {"Accept-Encoding": "gzip"})
    assert gzip.decompress(body).decode() == plotly.offline.get_plotlyjs()
    assert "immutable" in response.headers["Cache-Control"]
    again, empty = request(port, "/live/plotly.js", {"If-None-Match": response.headers["ETag"]})
    assert again.status == 304 and empty == b""
    plain, text = request(port, "/live/plotly.js")
    assert plain.headers["Content-Encoding"] is None and text == gzip.decompress(body)


def test_cursors_survive_the_round_trip() -> None:
    cursor = {"0" * 32: (1, 5), "f" * 32: (2, 0)}
    assert parse_cursor(format_cursor(cursor)) == cursor
    assert parse_cursor("") == {}


SERVER = """
import sys, uvicorn
from starlette.applications import Starlette
from pcviz.live import stream
live = stream.live()
app = Starlette(routes=live.routes(), middleware=live.middleware(), lifespan=live.lifespan)
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_streams_server_and_worker(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setenv("PCVIZ_JOBS", "tests.engine.fake_jobs")
    with served(live) as port:
        pass  # a port that is free again
    server = psutil.Popen([sys.executable, "-c", SERVER, str(port)], cwd=Path(__file__).parents[2])
    try:
        run = live.client.start(from_paths({"learning.steps": 100_000}), "s")
        wait_until(lambda: live.client.get(run).seq > 0 and server.net_connections(), 30)
        family = [server, *server.children(recursive=True)]
        assert len(family) == 2
        with stream(port, f"runs={run}") as events:
            next(events)
            os.kill(server.pid, number)
            for event in events:
                assert event.name != "end", "the run goes on with the next server"
            gone, alive = psutil.wait_procs(family, timeout=5)
        assert not alive and len(gone) == 2
        assert live.client.get(run).worker is None
    finally:
        if server.is_running():
            server.kill()


def test_the_server_side_never_loads_jax() -> None:
    code = "import sys, pcviz.live.stream, pcviz.engine.client, pcviz.engine.worker; assert 'jax' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_frame_values_are_relayed_as_stored(live: Live, worker: Observations, port: int) -> None:
    run = start(live, worker)
    publish(worker, run, 1, state="done")
    with stream(port, f"runs={run}") as events:
        frame = next(events)
    (stored,) = live.client.store.reader.frames(run, 1)
    values = decode_values(stored.values_json.encode())
    assert sorted(frame.data["values"]) == sorted(values) == ["energy", "energy_trace", "test_loss"]
