"""How programs are compiled."""

from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import Any, Generic, TypeVar

import jax

from pcviz.pcn import device_kind

Function = TypeVar("Function", bound=Callable[..., Any])


class Program(Generic[Function]):
    """A function that is compiled when it is first called for some shapes, as by `jax.jit`, but with the options of the
    device in use: only the first call looks for one, since a device that was looked for can no longer be chosen."""

    def __init__(self, function: Function, *static: str) -> None:
        self.function, self.static = function, static
        update_wrapper(self, function)

    @cached_property
    def jitted(self) -> Any:
        """What `jax.jit` returns."""
        options = device_kind.in_use().options
        return jax.jit(self.function, static_argnames=self.static, compiler_options=options)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.jitted(*arguments, **named)


def compiled(*static: str) -> Callable[[Function], Program[Function]]:
    """Decorator: the function as a `Program`, whose `static` arguments are part of what is compiled."""
    return lambda function: Program(function, *static)
