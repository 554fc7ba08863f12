"""A small server with the live routes, and a client of its event stream."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette

from pcviz.live.stream import Live


@dataclass
class Event:
    """One server-sent event."""

    name: str
    id: str
    data: dict[str, Any]


def polling() -> bool:
    """Whether a hub's thread lives in this process."""
    return any(thread.name == "pcviz-stream" for thread in threading.enumerate())


@contextmanager
def served(live: Live) -> Iterator[int]:
    """The live routes, without a worker; yields the port."""
    with listening(Starlette(routes=live.routes(), middleware=live.middleware()), live.hub.close) as port:
        yield port


@contextmanager
def listening(app: Any, ending: Callable[[], None] = lambda: None) -> Iterator[int]:
    """An app in a thread of this process; yields the port. `ending` is called before it is stopped."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # requests may come before the server is ready: they wait
        config = uvicorn.Config(app, log_level="error", ws="websockets-sansio", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ending()
            server.should_exit = True
            thread.join(10)


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@contextmanager
def websocket(port: int, headers: dict[str, str] | None = None) -> Iterator[tuple[int, str]]:
    """A websocket held open, or refused: status and text of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/socket", headers={**UPGRADE, **(headers or {})})
        response = connection.getresponse()
        yield response.status, "" if response.status == 101 else response.read().decode()
    finally:
        connection.close()


def request(
    port: int, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[http.client.HTTPResponse, bytes]:
    """One request, answered in full."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


@contextmanager
def stream(port: int, query: str, headers: dict[str, str] | None = None) -> Iterator[Iterator[Event]]:
    """An open event stream; iterate over its events until the server ends it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", f"/live/frames?{query}", headers=headers or {})
    response = connection.getresponse()
    assert response.status == 200, response.read()
    try:
        yield _events(response)
    finally:
        connection.close()


def _events(response: http.client.HTTPResponse) -> Iterator[Event]:
    fields: dict[str, str] = {}
    while line := response.readline().decode():
        if line != "\n":
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value
        elif "event" in fields:
            yield Event(fields["event"], fields["id"], json.loads(fields["data"]))
            fields = {}


def wait_until(condition: Any, timeout: float = 10.0) -> None:
    """Wait for something to hold."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
