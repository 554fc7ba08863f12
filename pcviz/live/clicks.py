"""Makes every click count exactly once.

Streamlit's front end sends a click shortly after it was made, and only then forgets it. A timer that redraws a part of
the page (`run_every`) and is late in a busy browser may run in between and send the click too: one press of Step made
two steps. The click's own message always follows, so clicks are removed from the messages of timers.

On the server, a message that arrives while callbacks of the previous one are waiting or running makes Streamlit drop
them at the next access to the session's state. Here these callbacks finish first.
"""

from typing import Any

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.state.safe_session_state import SafeSessionState

CLICKS = ("trigger_value", "string_trigger_value", "json_trigger_value", "chat_input_value")


class Clicks:
    """Middleware around Streamlit's websocket: takes clicks out of the messages of timers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on everything except the clicks in messages of timers."""

        async def received() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and message.get("bytes"):
                return {**message, "bytes": without_clicks_of_timers(message["bytes"])}
            return message

        await self._app(scope, received if scope["type"] == "websocket" else receive, send)


def without_clicks_of_timers(sent: bytes) -> bytes:
    """A message of Streamlit's front end as it is, or without clicks if a timer sent it."""
    try:
        message = BackMsg.FromString(sent)
    except DecodeError:
        return sent  # Streamlit itself refuses it
    if not message.rerun_script.is_auto_rerun:
        return sent
    widgets = message.rerun_script.widget_states.widgets
    lasting = [widget for widget in widgets if widget.WhichOneof("value") not in CLICKS]
    del widgets[:]
    widgets.extend(lasting)
    return message.SerializeToString()


_on_script_will_rerun = SafeSessionState.on_script_will_rerun


def let_callbacks_end() -> None:
    """Make callbacks uninterruptible from now on, in all sessions of this process."""
    SafeSessionState.on_script_will_rerun = _uninterrupted  # type: ignore[assignment, method-assign]


def _uninterrupted(state: SafeSessionState, *arguments: Any, **options: Any) -> None:
    interrupts = state._yield_callback
    object.__setattr__(state, "_yield_callback", lambda: None)  # the class keeps `setattr` for the session's state
    try:
        _on_script_will_rerun(state, *arguments, **options)
    finally:
        object.__setattr__(state, "_yield_callback", interrupts)
