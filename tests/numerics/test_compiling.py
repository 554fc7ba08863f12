"""Programs: the options of the device, and where they may not be given."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcviz.numerics import device_kind
from pcviz.numerics.compiling import Program, compiled

X = jnp.arange(3.0)


@compiled("power")
def raised(x: jax.Array, power: int) -> jax.Array:
    return x**power


def test_it_may_be_a_part_of_whatever_jax_traces() -> None:
    np.testing.assert_array_equal(jax.jit(lambda x: raised(x, power=2) + 1)(X), [1, 2, 5])
    np.testing.assert_array_equal(jax.grad(lambda x: raised(x, power=2).sum())(X), [0, 2, 4])
    np.testing.assert_array_equal(jax.vmap(lambda x: raised(x, power=2))(X), [0, 1, 4])
    assert jax.eval_shape(lambda: raised(jnp.zeros(3), power=2)).shape == (3,)
    np.testing.assert_array_equal(raised(X, power=2), [0, 1, 4])


def test_only_a_whole_program_gets_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options that XLA does not know are refused wherever they arrive: in any thread, but in no part of a program."""
    unknown = replace(device_kind.in_use(), options={"no_such_option": True})
    monkeypatch.setattr(device_kind, "in_use", lambda: unknown)
    doubled = Program(lambda x: 2 * x)
    np.testing.assert_array_equal(jax.jit(lambda x: doubled(x))(X), [0, 2, 4])
    with pytest.raises(jax.errors.JaxRuntimeError, match="no_such_option"):
        doubled(X)
    with ThreadPoolExecutor(1) as pool, pytest.raises(jax.errors.JaxRuntimeError, match="no_such_option"):
        pool.submit(doubled, X).result()
