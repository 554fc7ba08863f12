"""Times when a worker cannot use the store: reported once, retried ever more slowly, over when the store works."""

import logging
import time
from collections.abc import Callable

LOG = logging.getLogger(__name__)
FIRST_DELAY, LAST_DELAY = 0.2, 5.0
QUIET_SECONDS = 3.0
"""An outage is over once nothing failed for this long: a full disk may still take a small write."""


class Outage:
    """Outages of one worker. `tell` is called with the fault in one line, and with an empty text once it is over."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._fault = ""
        self._failed_at = float("-inf")
        self._delay = FIRST_DELAY

    def note(self, fault: Exception) -> float:
        """The store failed; returns the seconds to wait before it is tried again."""
        again = time.monotonic() - self._failed_at < QUIET_SECONDS + LAST_DELAY
        self._delay = min(2 * self._delay, LAST_DELAY) if again else FIRST_DELAY
        self._failed_at = time.monotonic()
        if str(fault) != self._fault:
            self._fault = str(fault)
            LOG.error("%s", fault)
            self._tell(self._fault)
        return self._delay

    def look(self) -> None:
        """Check, after the store was used without a fault, whether the outage is over."""
        if self._fault and time.monotonic() - self._failed_at > QUIET_SECONDS:
            LOG.warning("The store can be used again")
            self._fault = ""
            self._tell("")
