"""The spelling of numbers: digits, a point, an exponent. Text that only Python takes for one (1_6, ١٦) is refused."""

import re

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def is_plain_number(text: str) -> bool:
    """Whether a person and every program read `text` as the same number."""
    return _PLAIN.fullmatch(text) is not None


def is_odd_number(text: str) -> bool:
    """Whether Python alone reads `text` as a number; words such as inf and nan do not count."""
    if text.isalpha() or is_plain_number(text):
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True
