"""`python -m pcviz data`: user data sets in the store, for its runs and workers."""

from pathlib import Path

from pcviz.cli.flags import BadArguments
from pcviz.cli.work import DONE
from pcviz.engine.datasets import provide
from pcviz.experiment.cost import bytes_text
from pcviz.settings import Settings
from pcviz.store import Store, StoreFault

USAGE = """\
python -m pcviz data <what>: data sets of your own, in the store that PCVIZ_DATABASE names

  add FILE.npz  Store the arrays x_train, y_train, x_test and y_test of a file; prints the name for --data.name
  list          Names and sizes of those in the store
  delete NAME   Delete one that no run learns from

Features (examples, features) are taken as they are, not standardised. Targets are classes 0, 1 and so on as whole
numbers, one-hot rows, or real numbers for a regression."""


def fetch(name: str) -> None:
    """Load a data set of the store into this process. Raises BadArguments."""
    try:
        provide(Store(Settings.from_environment().database), name)
    except (ValueError, LookupError, StoreFault) as error:
        raise BadArguments([str(error)]) from error


def run(words: list[str]) -> int:
    """Run the command with these arguments; returns the exit status."""
    if not words or "-h" in words or "--help" in words:
        print(USAGE)
        return DONE
    try:
        store = Store(Settings.from_environment().database)
        match words:
            case ["add", file]:
                from pcviz.data import own

                name = own.hold_file(Path(file))
                store.requests.keep_dataset(name, own.packed(name))
                print(name)
            case ["list"]:
                for name, size in store.reader.datasets().items():
                    print(f"{name}  {bytes_text(size)}")
            case ["delete", name]:
                store.requests.delete_dataset(name)
            case _:
                raise ValueError("is not understood (allowed: add FILE.npz, list, delete NAME)")
    except (ValueError, LookupError, StoreFault) as error:
        raise BadArguments([f"data {' '.join(words)}: {error}"]) from error
    return DONE
