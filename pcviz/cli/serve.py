"""`python -m pcviz serve`: open the app on this machine."""

import socket
from pathlib import Path

from pcviz.cli.flags import BadArguments, Flag, describe, read
from pcviz.cli.work import DONE
from pcviz.experiment.faults import shown
from pcviz.live import heap
from pcviz.places import ensure_home

PACKAGE = Path(__file__).parents[1]
OPTIONS = next(folder for above in (PACKAGE, PACKAGE.parent) if (folder := above / ".streamlit").exists())
"""The folder of Streamlit's options for this app: at the root of a checkout, inside the package in a wheel."""
FLAGS = {
    "port": Flag("Port of the app (default 8501)", "1 to 65535"),
    "address": Flag("Address to listen on (default localhost)", "a host name or an IP address"),
}


def run(words: list[str]) -> int:
    """Run the command with these arguments; returns the exit status."""
    given, lines = read(words, FLAGS)
    if given.help:
        print("python -m pcviz serve [flags]: open the app\n")
        print(describe(FLAGS, with_fields=False))
        return DONE
    port = given.flags.get("port", "8501")
    if not (str(port).isascii() and str(port).isdigit() and 1 <= int(str(port)) <= 65535):
        lines.append(f"port: {shown(port)} is not a port (allowed: 1 to 65535)")
    elif _in_use(str(given.flags.get("address", "localhost")), int(str(port))):
        lines.append(f"port: {port} is in use, perhaps by another pcviz; choose another")
    lines += [f"{path}: is not a flag here (allowed: --port, --address)" for path in given.fields]
    if lines:
        raise BadArguments(lines)
    app = PACKAGE / "ui" / "scripts" / "app.py"
    ensure_home(app.parent)
    heap.keep_small()
    from streamlit import config
    from streamlit.web.cli import main as streamlit

    found = config.get_config_files  # the user's, then the one in the working directory: later ones win
    config.get_config_files = lambda file_name: [*found(file_name)[:1], str(OPTIONS / file_name), *found(file_name)[1:]]
    options = ["--server.port", str(port)]
    if "address" in given.flags:
        options += ["--server.address", str(given.flags["address"])]
    streamlit(["run", str(app), *options], standalone_mode=False)
    return DONE


def _in_use(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False
