"""`python -m pcviz`, and the command `pcviz`."""

import os
import sys
import threading

from pcviz.cli.main import main


def run() -> None:
    """Run the command line and end the process with its status."""
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        os._exit(status)  # a compilation that is still under way would hold the process up
    sys.exit(status)


if __name__ == "__main__":
    run()
