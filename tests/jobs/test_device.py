"""Compiled programs do not pile up until the system refuses memory."""

import jax
import jax.numpy as jnp
import pytest

from pcviz.jobs.device import MAPS, MOST_MAPS, forget_programs

pytestmark = pytest.mark.skipif(not (MAPS.exists() and MOST_MAPS.exists()), reason="only Linux limits memory maps")
SHAPES = range(1, 20)


def maps() -> int:
    return len(MAPS.read_text().splitlines())


def test_programs_are_forgotten_only_when_there_are_too_many() -> None:
    doubled = jax.jit(lambda x: 2 * jnp.cumsum(x))
    jax.clear_caches()
    before = maps()
    results = [doubled(jnp.ones(size)) for size in SHAPES]
    compiled = maps()
    assert doubled._cache_size() == len(SHAPES) and compiled > before + len(SHAPES)

    assert not forget_programs(share=1.0)
    assert doubled._cache_size() == len(SHAPES)

    assert forget_programs(share=0.0)
    assert doubled._cache_size() == 0 and maps() < (before + compiled) / 2
    assert [float(result[-1]) for result in results] == [2 * size for size in SHAPES]
    assert float(doubled(jnp.ones(3))[-1]) == 6
