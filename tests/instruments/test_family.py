"""The stable family on the Scaling page: what a run measures, and what its panels draw."""

from typing import Any

import numpy as np
import pytest

from pcviz.experiment import Experiment
from pcviz.experiment.family import CLASSES, MEMBERS, RULES, log_expected
from pcviz.figures import bindings
from pcviz.instruments.family import picture
from pcviz.instruments.family.job import Family
from pcviz.instruments.family.options import PATHS, Options
from pcviz.instruments.panels import panel

NAMES = ("family-growth", "family-exponents", "family-map")


def look(named: str = "mupc", **options: Any) -> Family:
    """A look whose networks have just the values that are derived."""
    job = Family(Experiment(), Options(**MEMBERS[named].member._asdict(), **options))
    for name, size in job.sizes.items():
        rows = [log_expected(job.options.member, size.width, size.depth, pc=bool(pc)) for pc in range(len(RULES))]
        job.results[name] = np.exp(rows).tolist()
    return job


def test_a_network_is_measured_once_for_both_paths() -> None:
    sizes = [size[:2] for size in Options(seeds=2).sizes.values()]
    assert len(sizes) == 2 * len(set(sizes)) and set(sizes) == {size for path in PATHS for size in path}
    assert sum(len(path) for path in PATHS) > len(set(sizes)), "one is shared"


@pytest.mark.parametrize(
    ("named", "bp", "pc"), [("mupc", 1, 1), ("depth_mup", 1, 1), ("lazy", 0, 0), ("mup", 0, 0), ("mean_field", 0, 0)]
)
def test_exponents_and_whether_they_belong_to_the_set(named: str, bp: int, pc: int) -> None:
    job = look(named)
    values = job._values(True)
    law = picture.exponents(job.options.member)
    np.testing.assert_allclose(values["family_exponents"], np.where(law > picture.STEEP, np.nan, law), atol=1e-9)
    np.testing.assert_array_equal(np.isfinite(values["family_steep"]), law > picture.STEEP)
    for seen, curve in zip(("family_by_width", "family_by_depth"), picture.curves(job.options.member), strict=True):
        np.testing.assert_allclose(values[seen], curve.T)
    assert (values["family_in_bp"], values["family_in_pc"]) == (bp, pc)
    assert np.isfinite(values["family_at_pc"]).all() == bool(pc)


def test_nothing_is_said_before_it_is_known() -> None:
    job = look(seeds=2)
    some = next(iter(job.results))
    del job.results[some]
    values = job._values(True)
    assert np.isnan(values["family_in_bp"]), "one seed has no interval"
    job.results[some] = [[np.inf] * 4] * 2
    assert np.isnan(job._values(True)["family_exponents"]).sum() < 16, "what overflows is left out"
    job.results.clear()
    assert np.isnan(job._values(True)["family_exponents"]).all()


def test_the_plane_has_the_class_of_every_member() -> None:
    for named in MEMBERS.values():
        options = Options(**named.member._asdict())
        x, y, classes = picture.plane(options)
        at = int(np.argmin(abs(y - options.depth))), int(np.argmin(abs(x - options.d)))
        law = picture.exponents(options.member).reshape(2, 2, 4)
        for rule in range(len(RULES)):
            nearest = picture.exponents(options.member._replace(d=x[at[1]], depth=y[at[0]])).reshape(2, 2, 4)
            assert classes[rule][at] == picture.class_of(nearest[:, rule]), law
    _, _, classes = picture.plane(Options())
    rich = classes == CLASSES.index("stable, feature-learning")
    assert rich.any() and (rich[0] == rich[1]).mean() > 0.95, "the sets differ at their edges alone"
    assert (classes[0] != classes[1]).mean() > 0.1, "lazy members differ"


@pytest.mark.parametrize("name", NAMES)
def test_panels_listen_to_the_family(name: str) -> None:
    made = panel(name, Experiment(), options=Options(a=0, b=1, c=1, x="a", y="c"))
    assert {binding.kind for binding in bindings(made.figure)} == {"family"}
    assert "Press Measure" in made.idle


def test_every_quantity_is_drawn_by_every_rule() -> None:
    bound = bindings(panel("family-growth", Experiment()).figure)
    indices = [binding.index for binding in bound if binding.y == "family_by_width"]
    assert indices == [0, 1, 2, 3, 6, 7], "at the start both rules are the same"
    bound = bindings(panel("family-exponents", Experiment()).figure)
    assert [binding.index for binding in bound if binding.y == "family_exponents"] == list(range(8))
