"""How programs are compiled."""

from collections.abc import Callable
from contextvars import ContextVar
from functools import cached_property, update_wrapper
from typing import Any, Generic, TypeVar

import jax

from pcviz.pcn import device_kind

Function = TypeVar("Function", bound=Callable[..., Any])
Result = TypeVar("Result")
_only_shapes = ContextVar("_only_shapes", default=False)


def shapes_of(function: Callable[[], Result]) -> Result:
    """What the function returns, with `jax.ShapeDtypeStruct` in place of arrays: nothing is computed or compiled."""
    token = _only_shapes.set(True)
    try:
        shapes: Result = jax.eval_shape(function)
    finally:
        _only_shapes.reset(token)
    return shapes


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
        # JAX takes options for whole programs only, not for a part of what it traces.
        function = self.function if _only_shapes.get() else self.jitted
        return function(*arguments, **named)


def compiled(*static: str) -> Callable[[Function], Program[Function]]:
    """Decorator: the function as a `Program`, whose `static` arguments are part of what is compiled."""
    return lambda function: Program(function, *static)
