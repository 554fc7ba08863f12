"""The server's own routes, `/live/…`, and its lifespan: worker, streams, orderly end."""

import asyncio
import gc
import logging
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from functools import cache
from types import FrameType
from typing import Any, TypeAlias
from urllib.parse import quote

import pandas  # noqa: F401 - plotly would use it while another page's thread still imports it
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send
from streamlit import config

from pcviz.engine.access import NotAllowed
from pcviz.engine.client import connect
from pcviz.engine.supervisor import Supervisor
from pcviz.live import serving
from pcviz.live.assets import live_script, plotly_script, recording
from pcviz.live.ceilings import Ceiling, client_of
from pcviz.live.clicks import Clicks
from pcviz.live.guard import Guard
from pcviz.live.hub import ENTRY_BYTES, Hub, Subscriber, parse_cursor
from pcviz.live.links import FormerLinks
from pcviz.settings import Settings
from pcviz.store import StoreFault

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

LOG = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 10.0
RETRY_MILLISECONDS = 500
_RUN = re.compile(r"[0-9a-f]{32}")
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Live:
    """The live routes of one server, with its client, worker and streams, for one store."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.client = connect(settings)
        self._supervisor = Supervisor(settings, self.client.store)
        self.hub = Hub(self.client.store, lambda: self._supervisor.fault)
        self.ceiling = Ceiling("live streams", settings)

    def routes(self) -> list[BaseRoute]:
        """Routes for `st.App` or Starlette, at the root and below `server.baseUrlPath`: a proxy may strip it or not."""
        base = str(config.get_option("server.baseUrlPath") or "").strip("/")
        home = [Route(f"/{base}", _with_slash)] if base else []
        return [*home, *self._below(f"/{base}")] + (self._below("") if base else [])

    def _below(self, base: str) -> list[BaseRoute]:
        base = base.rstrip("/")
        return [
            Route(f"{base}/live/frames", _saying_faults(self._frames)),
            Route(f"{base}/live/keep", _saying_faults(self._keep), methods=["POST"]),
            Route(f"{base}/live/plotly.js", plotly_script),
            Route(f"{base}/live/{{name}}.js", live_script),
            Route(f"{base}/live/recorded/{{name}}.json", recording),
            Route(f"{base}/{{page}}/", _without_slash),
        ]

    def middleware(self) -> list[Middleware]:
        """Middleware for `st.App` or Starlette."""
        return [Middleware(Guard, settings=self._settings), Middleware(FormerLinks), Middleware(Clicks)]

    @asynccontextmanager
    async def lifespan(self, _app: Any) -> AsyncIterator[None]:
        """Run the worker while the server runs; end open streams when the server is told to stop."""
        # Objects imported so far are never freed: without this, full collections after every script run dominate.
        gc.collect()
        gc.freeze()
        serving.make_room(self._settings)
        if note := serving.note():
            LOG.warning(note)
        try:
            await asyncio.to_thread(self.client.store.database.open)
        except StoreFault as fault:  # the pages report it too, and try again
            LOG.error("%s", fault)
        self._supervisor.start()

        def ending() -> None:
            self.hub.close()
            self._supervisor.ask_to_stop()

        try:
            with _before_signal_handlers(ending):
                yield
        finally:
            ending()
            await asyncio.to_thread(self._supervisor.stop)

    async def _frames(self, request: Request) -> Response:
        runs, known, fault = await self._known_runs(request)
        if fault is not None:
            return fault
        most = self._settings.request_bytes // 2
        try:
            cursor = parse_cursor(request.headers.get("last-event-id") or request.query_params.get("after", ""), most)
        except ValueError as error:
            return PlainTextResponse(f"after: {error}", 400)
        address = client_of(request.scope, self._settings)
        if too_many := self.ceiling.fault(address):
            return PlainTextResponse(too_many, 429, {"Retry-After": "10"})
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=_HEADERS)
        mine = {run: place for run, place in cursor.items() if run in known}
        kept = self.client.keepable(runs, _keep_tokens(request, runs))
        events = self._events(Subscriber(runs, mine, kept, most // ENTRY_BYTES))
        return _Stream(events, self.ceiling.held(address), media_type="text/event-stream", headers=_HEADERS)

    async def _events(self, subscriber: Subscriber) -> AsyncIterator[bytes]:
        with suppress(StoreFault):  # the stream reports it
            await asyncio.to_thread(self.client.store.requests.renew, subscriber.kept)
        self.hub.subscribe(subscriber)
        try:
            yield b"retry: %d\n\n" % RETRY_MILLISECONDS
            while (batch := await subscriber.batch(HEARTBEAT_SECONDS)) != Subscriber.END:
                yield b": still here\n\n" if batch is None else batch
        finally:
            self.hub.unsubscribe(subscriber)

    async def _keep(self, request: Request) -> Response:
        runs, _, fault = await self._known_runs(request)
        if fault is not None:
            return fault
        try:
            await asyncio.to_thread(self.client.renew, runs, _keep_tokens(request, runs))
        except NotAllowed as error:
            return PlainTextResponse(f"keep: {error}", 403)
        return Response(status_code=204)

    async def _known_runs(self, request: Request) -> tuple[list[str], set[str], Response | None]:
        """The runs that the request names, the ids of these and their children, and the answer if it is wrong."""
        for name in ("runs", "after"):
            if len(request.query_params.getlist(name)) > 1:
                return [], set(), PlainTextResponse(f"{name}: given more than once", 400)
        runs = list(dict.fromkeys(filter(None, request.query_params.get("runs", "").split(","))))
        most = self._settings.stream_runs
        if not 1 <= len(runs) <= most:
            return runs, set(), PlainTextResponse(f"runs: {len(runs)} ids given (allowed: 1 to {most})", 400)
        possible = [run for run in runs if _RUN.fullmatch(run)]
        known = {record.id for record in await asyncio.to_thread(self.client.store.reader.families, possible)}
        unknown = [run[:64] for run in runs if run not in known]
        return runs, known, PlainTextResponse(f"runs: there is no run {unknown[0]!r}", 404) if unknown else None


def _saying_faults(endpoint: Endpoint) -> Endpoint:
    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except StoreFault as fault:
            return PlainTextResponse(str(fault), 503, {"Retry-After": "5"})

    return answered


async def _with_slash(request: Request) -> Response:
    """Redirect to the folder, as pages load files relative to it. The redirect is relative too: only a browser knows
    the scheme, name and prefix of the app's address; Streamlit's redirects are wrong behind most proxies."""
    return _redirect(request, f"{request.url.path.rpartition('/')[2]}/")


async def _without_slash(request: Request) -> Response:
    return _redirect(request, f"../{quote(request.path_params['page'])}")


def _redirect(request: Request, address: str) -> Response:
    query = f"?{request.url.query}" if request.url.query else ""
    return Response(status_code=307, headers={"Location": f"{address}{query}", "Cache-Control": "no-cache"})


class _Stream(StreamingResponse):
    """A response that counts as open until it ends, even if its client leaves before it has begun."""

    def __init__(self, content: AsyncIterator[bytes], place: AbstractContextManager[None], **details: Any) -> None:
        super().__init__(content, **details)
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._place:
            await super().__call__(scope, receive, send)


def _keep_tokens(request: Request, runs: list[str]) -> list[str]:
    """The token of each run: `keep` names them in the order of the `runs` of the request, which may repeat some."""
    named, shown = (request.query_params.get(name, "").split(",") for name in ("runs", "keep"))
    tokens = dict(zip(named, shown, strict=False))
    return [tokens.get(run, "") for run in runs]


@contextmanager
def _before_signal_handlers(ending: Callable[[], None]) -> Iterator[None]:
    """Call `ending` before the present handlers of SIGTERM and SIGINT: an open stream would stop the server's exit."""
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
        except ValueError:  # not the main thread: then the end of the lifespan closes the streams
            break
    try:
        yield
    finally:
        for number, before in previous.items():
            if signal.getsignal(number) is handler:
                signal.signal(number, before)


@cache
def live() -> Live:
    """The one `Live` of this process. Ends the process with one line if a setting is wrong."""
    try:
        return Live(serving.settings())
    except ValueError as fault:
        raise SystemExit(f"pcviz: {fault}") from None
