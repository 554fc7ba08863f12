"""The server's own routes, `/live/…`, and its lifespan: worker, streams, orderly end.

`app.py` is `st.App(script, routes=stream.routes(), lifespan=stream.lifespan)`.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from types import FrameType
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from pcviz.engine.access import NotAllowed
from pcviz.engine.client import connect
from pcviz.engine.supervisor import Supervisor
from pcviz.settings import Settings
from pcviz.ui.assets import live_script, plotly_script
from pcviz.ui.guard import refusal
from pcviz.ui.hub import Hub, Subscriber, parse_cursor

HEARTBEAT_SECONDS = 10.0
RETRY_MILLISECONDS = 500
MOST_RUNS = 64
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

Endpoint = Callable[[Request], Awaitable[Response]]


class Live:
    """What one server serves live, for one store."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.client = connect(settings)
        self.hub = Hub(self.client.store)

    def routes(self) -> list[Route]:
        """Routes for `st.App` or Starlette."""
        return [
            Route("/live/frames", self._guarded(self._frames)),
            Route("/live/keep", self._guarded(self._keep), methods=["POST"]),
            Route("/live/plotly.js", self._guarded(plotly_script)),
            Route("/live/{name}.js", self._guarded(live_script)),
        ]

    @asynccontextmanager
    async def lifespan(self, _app: Any) -> AsyncIterator[None]:
        """Run the worker while the server runs; end open streams when the server is told to stop."""
        # Everything imported so far stays for good: without this, full collections after every script run dominate.
        gc.collect()
        gc.freeze()
        supervisor = Supervisor(self._settings, self.client.store)
        supervisor.start()

        def ending() -> None:
            self.hub.close()
            supervisor.ask_to_stop()

        try:
            with _before_signal_handlers(ending):
                yield
        finally:
            ending()
            await asyncio.to_thread(supervisor.stop)

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def checked(request: Request) -> Response:
            fault = refusal(request.headers.get("host"), request.headers.get("origin"), shared=self._settings.shared)
            return PlainTextResponse(fault, 403) if fault else await endpoint(request)

        return checked

    async def _frames(self, request: Request) -> Response:
        runs, fault = await self._known_runs(request)
        if fault is not None:
            return fault
        text = request.headers.get("last-event-id") or request.query_params.get("after", "")
        try:
            cursor = parse_cursor(text)
        except ValueError as error:
            return PlainTextResponse(f"after: {error}", 400)
        kept = self.client.keepable(runs, _keep_tokens(request))
        await asyncio.to_thread(self.client.renew, kept, _keep_tokens(request))
        events = self._events(Subscriber(runs, cursor, kept))
        return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)

    async def _events(self, subscriber: Subscriber) -> AsyncIterator[bytes]:
        self.hub.subscribe(subscriber)
        try:
            yield b"retry: %d\n\n" % RETRY_MILLISECONDS
            while (batch := await subscriber.batch(HEARTBEAT_SECONDS)) != Subscriber.END:
                yield b": still here\n\n" if batch is None else batch
        finally:
            self.hub.unsubscribe(subscriber)

    async def _keep(self, request: Request) -> Response:
        runs, fault = await self._known_runs(request)
        if fault is not None:
            return fault
        try:
            await asyncio.to_thread(self.client.renew, runs, _keep_tokens(request))
        except NotAllowed as error:
            return PlainTextResponse(f"keep: {error}", 403)
        return Response(status_code=204)

    async def _known_runs(self, request: Request) -> tuple[list[str], Response | None]:
        """The runs that the request names, or the answer that says what is wrong with them."""
        runs = list(dict.fromkeys(filter(None, request.query_params.get("runs", "").split(","))))
        if not 1 <= len(runs) <= MOST_RUNS:
            return runs, PlainTextResponse(f"runs: {len(runs)} ids given (allowed: 1 to {MOST_RUNS})", 400)
        known = {record.id for record in await asyncio.to_thread(self.client.store.reader.families, runs)}
        unknown = [run[:64] for run in runs if run not in known]
        return runs, PlainTextResponse(f"runs: there is no run {unknown[0]!r}", 404) if unknown else None


def _keep_tokens(request: Request) -> list[str]:
    return request.query_params.get("keep", "").split(",")


@contextmanager
def _before_signal_handlers(ending: Callable[[], None]) -> Iterator[None]:
    """Call `ending` before whatever SIGTERM and SIGINT do now: an open stream would keep the server from stopping."""
    previous: dict[int, Any] = {}
    number: int

    def handler(number: int, frame: FrameType | None) -> None:
        ending()
        before = previous[number]
        if callable(before):
            before(number, frame)
        elif before == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            previous[number] = signal.signal(number, handler)
        except ValueError:  # not the main thread: whoever runs us there ends the streams by leaving the lifespan
            break
    try:
        yield
    finally:
        for number, before in previous.items():
            if signal.getsignal(number) is handler:
                signal.signal(number, before)


@cache
def live() -> Live:
    """The one of this process, with settings from the environment. Ends the process, in one line, if one is wrong."""
    try:
        return Live(Settings.from_environment())
    except ValueError as fault:
        raise SystemExit(f"pcviz: {fault}") from None


def routes() -> list[Route]:
    """Routes for `st.App(…, routes=…)`."""
    return live().routes()


def lifespan(app: Any) -> Any:
    """Lifespan for `st.App(…, lifespan=…)`."""
    return live().lifespan(app)
