"""A small proxy, as people put before the app: strips a prefix, may speak TLS, may change the host."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

TLS = Path(__file__).parent / "tls"
NOWHERE = (
    b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 22\r\nConnection: close\r\n\r\n"
    b"<p>proxy: nothing here"
)


@dataclass
class Proxy:
    """What below `prefix` is asked of the proxy goes to `target` below `below`; nothing else is known to it.

    `host`: what is put in place of the Host header, as nginx does unless told otherwise. `closed`: parts of paths that
    it does not let through.
    """

    target: int
    prefix: str
    below: str = "/"
    host: str | None = None
    tls: bool = False
    closed: tuple[str, ...] = ()
    port: int = 0
    asked: list[str] = field(default_factory=list)

    def url(self, name: str = "localhost") -> str:
        """The address of the app behind the proxy, with a trailing slash."""
        return f"http{'s' if self.tls else ''}://{name}:{self.port}{self.prefix}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request: a browser's connection is not used again."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
            method, path, version = first.split(" ")
            self.asked.append(path)
            if not path.startswith(self.prefix) or any(part in path for part in self.closed):
                writer.write(NOWHERE)
            else:
                path = self.below + path.removeprefix(self.prefix)
                kept = "\r\n".join([f"{method} {path} {version}", *self._headers(lines), "", ""])
                await self._relay(kept.encode("latin-1"), reader, writer)
            await writer.drain()
        writer.close()

    def _headers(self, lines: list[str]) -> list[str]:
        upgrade = any(line.lower().startswith("upgrade:") for line in lines)
        left_out = () if upgrade else ("connection:",)
        kept = [line for line in lines if not line.lower().startswith(left_out)] if left_out else lines
        if self.host:
            kept = [f"Host: {self.host}" if line.lower().startswith("host:") else line for line in kept]
        return kept if upgrade else [*kept, "Connection: close"]

    async def _relay(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inward, outward = await asyncio.open_connection("127.0.0.1", self.target)
        outward.write(head)

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                while data := await source.read(65_536):
                    sink.write(data)
                    await sink.drain()

        both = [asyncio.create_task(copy(reader, outward)), asyncio.create_task(copy(inward, writer))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            outward.close()


@contextmanager
def proxied(proxy: Proxy) -> Iterator[Proxy]:
    """Serve in a thread of its own until the block ends."""
    loop = asyncio.new_event_loop()
    started = threading.Event()
    stop = asyncio.Event()

    async def serve() -> None:
        context = None
        if proxy.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
        server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=context)
        proxy.port = server.sockets[0].getsockname()[1]
        started.set()
        await stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    started.wait(10)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
