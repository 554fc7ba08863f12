"""A client that speaks Streamlit's protocol by hand: it can send what no browser would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect


@contextmanager
def by_hand(url: str, page: str, query: str, key: str = "") -> Iterator[Visitor]:
    """A session of the app at `url`, on a page at an address; with a key, it says at once who it is."""
    address = url.replace("http://", "ws://") + "/_stcore/stream"
    with connect(address, origin=url, subprotocols=["streamlit"], max_size=None) as socket:  # type: ignore[arg-type]
        visitor = Visitor(socket, page, query)
        if key:
            visitor.bring(key)
        yield visitor


class Visitor:
    """One session. `buttons` and `components` are those drawn so far (key -> widget id), `said` all texts that came
    since the last request."""

    def __init__(self, socket: ClientConnection, page: str, query: str) -> None:
        self._socket = socket
        self._page, self._query = page, query
        self.buttons: dict[str, str] = {}
        self.components: dict[str, str] = {}
        self.said = ""
        self._states: dict[str, str] = {}
        self.send()

    def press(self, *keys: str) -> None:
        """Press buttons, disabled or not, all in one message."""
        self.send(*(WidgetState(id=self.buttons[key], trigger_value=True) for key in keys))

    def bring(self, key: str, links: dict[str, str] | None = None) -> None:
        """Say who this browser is."""
        told = {"brought": {"key": key, "lasting": True, "links": links or {}}}
        self._states[self.components["browser"]] = json.dumps(told)
        self.send()

    def pick(self, component: str, point: dict[str, Any]) -> None:
        """Click a point of a panel."""
        told = json.dumps([{"event": "picked", "value": point}])
        identity = f"$$STREAMLIT_INTERNAL_KEY_{self.components[component]}__events"
        self.send(WidgetState(id=identity, json_trigger_value=told))

    def send(self, *states: WidgetState) -> None:
        """Ask for a run of the script with these widget states besides those of the components; wait for its end."""
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.page_name = self._page
        components = [WidgetState(id=identity, json_value=text) for identity, text in self._states.items()]
        message.rerun_script.widget_states.widgets.extend([*components, *states])
        self.said = ""
        self._socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(self._socket.recv(timeout=30))  # type: ignore[arg-type]
            if answer.WhichOneof("type") == "script_finished":
                return
            self._note(answer)

    def _note(self, answer: ForwardMsg) -> None:
        element = answer.delta.new_element
        kind = element.WhichOneof("type")
        if kind in ("button", "download_button"):
            identity = getattr(element, kind).id
            self.buttons[identity.rsplit("-", 1)[-1]] = identity
        elif kind == "bidi_component":
            self.components[element.bidi_component.id.rsplit("-", 1)[-1]] = element.bidi_component.id
            self._states.setdefault(element.bidi_component.id, "{}")
        elif kind in ("markdown", "alert", "exception", "code"):
            text = str(getattr(element, kind))
            self.said += text.replace("\\\\", "")
