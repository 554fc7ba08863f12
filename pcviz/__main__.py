"""`python -m pcviz`."""

import sys

from pcviz.cli import main

if __name__ == "__main__":
    sys.exit(main())
