"""Messages of timers carry no clicks, all others pass as they are; callbacks come to their end."""

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.runtime.state.session_state import SessionState

from pcviz.live import clicks
from pcviz.live.clicks import without_clicks_of_timers


def _message(**parts: bool) -> BackMsg:
    message = BackMsg()
    rerun = message.rerun_script
    rerun.fragment_id = "buttons"
    rerun.is_auto_rerun = parts.get("timer", False)
    rerun.widget_states.widgets.add(id="depth", int_value=16)
    clicked = (WidgetState(id="step", trigger_value=True), WidgetState(id="chain", json_trigger_value='["layer 3"]'))
    rerun.widget_states.widgets.extend(clicked if parts.get("clicks") else ())
    return message


@pytest.mark.parametrize("clicks", [False, True])
def test_a_timer_sends_values_alone(clicks: bool) -> None:
    sent = _message(timer=True, clicks=clicks)
    assert BackMsg.FromString(without_clicks_of_timers(sent.SerializeToString())) == _message(timer=True)


@pytest.mark.parametrize("sent", [_message(clicks=True).SerializeToString(), b"\xff\xff no message"])
def test_whatever_else_is_sent_passes_as_it_is(sent: bytes) -> None:
    assert without_clicks_of_timers(sent) is sent


def test_nothing_interrupts_callbacks_that_are_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer message raises at every look into the session's state, where Streamlit would drop the click."""

    class Interrupted(Exception):
        pass

    def interrupt() -> None:
        raise Interrupted

    made: list[str] = []
    inner = SessionState()
    inner["click"] = "step"
    state = SafeSessionState(inner, interrupt)
    monkeypatch.setattr(SessionState, "_call_callbacks", lambda *_, **__: made.append(state["click"]))
    with pytest.raises(Interrupted):
        clicks._on_script_will_rerun(state, WidgetStates())
    assert made == []
    clicks._uninterrupted(state, WidgetStates())
    assert made == ["step"]
    with pytest.raises(Interrupted):
        _ = state["click"]
