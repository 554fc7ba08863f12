"""The data sets that come with pcviz, by the names of `experiment.DATASETS`: each file ends with its `PROVIDERS`."""

from importlib import import_module
from pkgutil import iter_modules

from pcviz.data.provider import Provider

PROVIDERS: dict[str, Provider] = {
    name: provider
    for file in iter_modules(__path__)
    for name, provider in import_module(f"{__name__}.{file.name}").PROVIDERS.items()
}
