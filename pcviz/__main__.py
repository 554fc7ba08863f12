"""`python -m pcviz`, and the command `pcviz`."""

import os
import sys
import threading

from pcviz.cli.main import main
from pcviz.cli.work import FAILED


def run() -> None:
    """Run the command line and end the process with its status."""
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = FAILED
    sys.stderr.flush()
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        os._exit(status)  # a compilation that is still under way would hold the process up
    sys.exit(status)


if __name__ == "__main__":
    run()
