"""Ceilings of live streams: how many, for whom, how long a request's memory is, and what their settings mean."""

import asyncio
import socket
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from pcviz.experiment import Experiment
from pcviz.live import hub as hub_module
from pcviz.live.ceilings import Ceiling, client_of
from pcviz.live.hub import Subscriber, format_cursor, parse_cursor
from pcviz.live.stream import Live
from pcviz.settings import Settings
from pcviz.store import Reader
from tests.live.live_server import polling, request, served, stream, wait_until


def live_with(database_url: str, **settings: Any) -> tuple[Live, str]:
    """A server with these settings, and a run to look at."""
    live = Live(Settings(database=database_url, **settings))
    return live, live.client.start(Experiment(), "s")


def test_streams_have_a_ceiling(database_url: str) -> None:
    live, run = live_with(database_url, streams=2)
    with served(live) as port:
        with ExitStack() as open_streams:
            for _ in range(2):
                next(open_streams.enter_context(stream(port, f"runs={run}")))
            response, body = request(port, f"/live/frames?runs={run}")
            assert response.status == 429 and response.headers["Retry-After"]
            assert b"2 live streams are open (allowed: PCVIZ_STREAMS 2)" in body and b"\n" not in body
            assert request(port, f"/live/keep?runs={run}", method="POST")[0].status == 204
        wait_until(lambda: not polling())
        with stream(port, f"runs={run}") as events:
            next(events)


def test_an_address_has_a_ceiling_of_its_own(database_url: str) -> None:
    proxies = (ip_network("127.0.0.1/32"),)
    live, run = live_with(database_url, streams_per_address=1, proxies=proxies)
    with served(live) as port, stream(port, f"runs={run}", {"X-Forwarded-For": "10.0.0.1"}) as events:
        next(events)
        response, body = request(port, f"/live/frames?runs={run}", {"X-Forwarded-For": "1.2.3.4, 10.0.0.1"})
        assert response.status == 429
        assert b"from 10.0.0.1 (allowed: PCVIZ_STREAMS_PER_ADDRESS 1)" in body
        assert b"the operator of the server can allow more, or name the proxy before it in PCVIZ_PROXIES" in body
        with stream(port, f"runs={run}", {"X-Forwarded-For": "10.0.0.2"}) as others:
            next(others)


def test_what_is_left_of_an_address_still_counts() -> None:
    here, there = (ip_address(f"10.0.0.{number}") for number in (1, 2))
    ceiling = Ceiling("live streams", Settings(streams=3, streams_per_address=2))
    with ceiling.held(there), ceiling.held(here):
        with ceiling.held(here):
            assert "2 live streams are open from 10.0.0.1" in (ceiling.fault(here) or "")
            assert (
                ceiling.fault(there)
                == "3 live streams are open (allowed: PCVIZ_STREAMS 3): try again when one has closed"
            )
        assert ceiling.fault(here) is ceiling.fault(there) is None
        with ceiling.held(here):
            assert ceiling.fault(here) is not None
    assert not ceiling._taken, "an address that has left is forgotten"


def test_who_only_says_it_is_forwarded_counts_as_himself(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "")  # Uvicorn believes 127.0.0.1 otherwise
    live, run = live_with(database_url, streams_per_address=1)
    with served(live) as port, stream(port, f"runs={run}", {"X-Forwarded-For": "10.0.0.1"}) as events:
        next(events)
        for claimed in ("10.0.0.2", "10.0.0.2:4711", "127.0.0.1", "10.0.0.2, 127.0.0.1"):
            response, body = request(port, f"/live/frames?runs={run}", {"X-Forwarded-For": claimed})
            assert response.status == 429 and b"from 127.0.0.1" in body, claimed


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.7", None, "10.0.0.7"),
        ("10.0.0.7", "1.1.1.1", "10.0.0.7"),
        ("10.0.0.7", "10.0.0.7, 1.1.1.1", "10.0.0.7"),
        ("::ffff:10.0.0.7", None, "10.0.0.7"),
        ("2001:db8::1:2:3:4", None, "2001:db8::"),
        ("192.168.0.9", "1.1.1.1, 2.2.2.2", "2.2.2.2"),
        ("192.168.0.9", "1.1.1.1, 192.168.0.8", "1.1.1.1"),
        ("192.168.0.9", "1.1.1.1:99", "1.1.1.1"),
        ("192.168.0.9", "[2001:db8::9]:99", "2001:db8::"),
        ("192.168.0.9", "192.168.0.8", "192.168.0.9"),
        ("192.168.0.9", None, "192.168.0.9"),
    ],
)
def test_forwarded_addresses_count_from_named_proxies_only(peer: str, forwarded: str | None, address: str) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    scope = {"type": "http", "client": (peer, 1), "headers": headers}
    assert client_of(scope, Settings(proxies=(ip_network("192.168.0.0/24"),))) == ip_address(address)


@pytest.mark.parametrize("proxies", [(), ("192.168.0.0/24",), ("127.0.0.1/32",)])
@pytest.mark.parametrize("forwarded", ["10.0.0.9", "10.0.0.9, 127.0.0.1", "127.0.0.1, 10.0.0.9"])
def test_nobody_passes_for_this_machine(forwarded: str, proxies: tuple[str, ...]) -> None:
    scope = {"type": "http", "client": ("10.0.0.9", 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}
    assert client_of(scope, Settings(proxies=tuple(map(ip_network, proxies)))) == ip_address("10.0.0.9")


def test_a_stream_names_so_many_runs(database_url: str) -> None:
    live, run = live_with(database_url, stream_runs=2)
    with served(live) as port:
        response, body = request(port, f"/live/frames?runs={run},a,b")
    assert response.status == 400 and body == b"runs: 3 ids given (allowed: 1 to 2)"


def test_a_position_that_is_too_long_is_refused(database_url: str) -> None:
    live, run = live_with(database_url)
    long = format_cursor({f"{number:032x}": (1, 1) for number in range(600)})
    with served(live) as port:
        response, body = request(port, f"/live/frames?runs={run}", {"Last-Event-ID": long})
        assert response.status == 400 and body == b"after: 22199 characters (allowed: up to 16384)"
        response, body = request(port, f"/live/frames?runs={run}", {"Last-Event-ID": "x" * 40_000})
        assert response.status == 431 and b"PCVIZ_REQUEST_BYTES 32768" in body
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:  # more than the server reads
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000)
            assert connection.recv(100).startswith(b"HTTP/1.1 400")


def test_positions_of_other_runs_are_forgotten(database_url: str) -> None:
    live, run = live_with(database_url)
    child, other = live.client.add_child(run, "landscape"), live.client.start(Experiment(), "s")
    cursor = {run: (1, 0), child: (1, 0), other: (1, 7), "f" * 32: (1, 7)}
    with served(live) as port, stream(port, f"runs={run}", {"Last-Event-ID": format_cursor(cursor)}) as events:
        assert set(parse_cursor(next(events).id)) == {run, child}


def test_a_position_has_room_for_the_runs_themselves_first() -> None:
    async def ids() -> str:
        family = {f"{number:032x}": (1, number) for number in range(40)}
        named = f"{39:032x}"
        return Subscriber([named], family, most_entries=4).event("state", b"{}").decode()

    (line,) = (line for line in asyncio.run(ids()).splitlines() if line.startswith("id: "))
    kept = parse_cursor(line.removeprefix("id: "))
    assert len(kept) == 4 and next(iter(kept)) == f"{39:032x}"


def test_head_opens_no_stream(database_url: str) -> None:
    live, run = live_with(database_url, streams=1)
    with served(live) as port, closing(HTTPConnection("127.0.0.1", port, timeout=10)) as kept_open:
        kept_open.request("HEAD", f"/live/frames?runs={run}")
        response = kept_open.getresponse()
        assert (response.status, response.read()) == (200, b"")
        with stream(port, f"runs={run}") as events:
            next(events)


def test_many_runs_fit_into_queries(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "RUNS_PER_QUERY", 2)
    asked: list[int] = []
    families = Reader.families
    monkeypatch.setattr(Reader, "families", lambda self, ids: asked.append(len(ids)) or families(self, ids))
    live, run = live_with(database_url)
    child = live.client.add_child(run, "landscape")
    others = [live.client.start(Experiment(), "s") for _ in range(4)]
    with served(live) as port, stream(port, f"runs={','.join([child, run, *others])}") as events:
        states = [next(events) for _ in range(6)]
    assert {event.data["run"] for event in states} == {run, child, *others}
    assert max(asked[1:]) == 2


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PCVIZ_STREAMS", "0", "PCVIZ_STREAMS: 0 is not a whole number from 1"),
        ("PCVIZ_SWEEP_WORKERS", "-1", "PCVIZ_SWEEP_WORKERS: -1 is not a whole number from 0 to 256"),
        ("PCVIZ_SWEEP_WORKERS", "10000", "PCVIZ_SWEEP_WORKERS: 10000 is not a whole number from 0 to 256"),
        ("PCVIZ_STREAMS_PER_ADDRESS", "many", "PCVIZ_STREAMS_PER_ADDRESS: many is not a whole number from 1"),
        ("PCVIZ_STREAM_RUNS", "1_6", "PCVIZ_STREAM_RUNS: 1_6 is not"),
        ("PCVIZ_REQUEST_BYTES", "100", "PCVIZ_REQUEST_BYTES: 100 is not a whole number from 2048"),
        ("PCVIZ_PROXIES", "proxy.example", "PCVIZ_PROXIES: proxy.example is not a list of addresses"),
    ],
)
def test_settings_that_mean_nothing_are_refused(name: str, value: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Settings.from_environment({name: value})


def test_settings_of_ceilings() -> None:
    given = {
        "PCVIZ_STREAMS": "9",
        "PCVIZ_STREAMS_PER_ADDRESS": "3",
        "PCVIZ_STREAM_RUNS": "5",
        "PCVIZ_REQUEST_BYTES": "4096",
        "PCVIZ_PROXIES": "127.0.0.1, 10.0.0.0/8,::1",
    }
    proxies = tuple(map(ip_network, ("127.0.0.1", "10.0.0.0/8", "::1")))
    expected = Settings(streams=9, streams_per_address=3, stream_runs=5, request_bytes=4096, proxies=proxies)
    assert Settings.from_environment(given) == expected
    assert Settings.from_environment({}) == Settings()
