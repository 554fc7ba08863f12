"""Loads user data sets from the store into the process that needs them."""

from pcviz.experiment.data import is_own
from pcviz.store import Store


def provide(store: Store, name: str) -> None:
    """Make this process hold a data set, from the store if necessary. Raises LookupError if neither has it."""
    if not is_own(name):
        return
    from pcviz.data import own, provider_of  # scikit-learn, which takes long to load

    if name not in own.HELD and (found := store.reader.dataset(name)) and own.hold_file(found) != name:
        raise LookupError(f"data.name: what the store holds as {name} is something else")
    provider_of(name)
