"""How programs are compiled."""

from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import Any, Generic, TypeVar

import jax
from jax.extend.core import get_opaque_trace_state

from pcviz.numerics import device_kind

Function = TypeVar("Function", bound=Callable[..., Any])
_NO_TRACE = get_opaque_trace_state()
"""The state in which a call is no part of a function that JAX traces."""


class Program(Generic[Function]):
    """A function that is compiled when it is first called for some shapes, as by `jax.jit`, but with the options of the
    device in use: only the first call looks for one, since a device that was looked for can no longer be chosen."""

    def __init__(self, function: Function, *static: str) -> None:
        self.function, self.static = function, static
        update_wrapper(self, function)

    @cached_property
    def jitted(self) -> Any:
        """What `jax.jit` returns, with the options."""
        options = device_kind.in_use().options
        return jax.jit(self.function, static_argnames=self.static, compiler_options=options)

    @cached_property
    def _part(self) -> Any:
        """What `jax.jit` returns, as a part of another program: JAX takes options for whole programs only."""
        return jax.jit(self.function, static_argnames=self.static)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        whole = get_opaque_trace_state() == _NO_TRACE
        return (self.jitted if whole else self._part)(*arguments, **named)


def compiled(*static: str) -> Callable[[Function], Program[Function]]:
    """Decorator: the function as a `Program`, whose `static` arguments are part of what is compiled."""
    return lambda function: Program(function, *static)
