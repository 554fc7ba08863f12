"""Messages of timers carry no clicks; all others pass as they are."""

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

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
