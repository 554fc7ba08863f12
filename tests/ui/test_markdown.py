"""Messages stay text, whatever they contain."""

import pytest

from pcviz.ui.markdown import WORD_JOINER, lines, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>*x*</b>", r"\<b\>\*x\*\</b\>"),
        ("&copy; a | b", r"\&copy; a \| b"),
        ("- a", r"\- a"),
        ("+ a", r"\+ a"),
        ("12. a", r"12\. a"),
        ("3) a", r"3\) a"),
        ("-1 and 1.5", "-1 and 1.5"),
        ("see http://x.y", rf"see http{WORD_JOINER}\://x.y"),
        ("www.x.y", f"www{WORD_JOINER}.x.y"),
        ("me@x.y", f"me{WORD_JOINER}@x.y"),
    ],
)
def test_nothing_is_left_to_interpret(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_each_message_is_one_line() -> None:
    assert lines(["a\n\n# b", "c"]) == "a \\# b  \nc"
