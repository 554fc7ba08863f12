"""What an import must not load, each in a fresh interpreter."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVER = [
    f"pcviz.{folder}.{path.stem}"
    for folder in ("ui", "live")
    for path in sorted((ROOT / "pcviz" / folder).glob("*.py"))
    if path.stem not in ("__init__", "shell")
]
LIGHT = [
    "pcviz",
    "pcviz.experiment",
    "pcviz.experiment.cost",
    "pcviz.instruments",
    "pcviz.cli.flags",
    "pcviz.cli.main",
    "pcviz.__main__",
]


def loaded_by(statement: str) -> set[str]:
    """Top-level modules that are loaded after `statement`."""
    script = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    return set(answer.stdout.split())


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules(module: str) -> None:
    assert not loaded_by(f"import {module}") & {"jax", "flax", "streamlit", "plotly", "sqlalchemy"}


def test_the_server_never_loads_jax() -> None:
    assert not loaded_by(f"import {', '.join(SERVER)}, pcviz.instruments.panels, pcviz.instruments.views") & {
        "jax",
        "flax",
        "optax",
        "diffrax",
    }


def test_the_science_knows_no_front_end() -> None:
    assert not loaded_by("import pcviz.pcn, pcviz.instruments.jobs") & {"streamlit", "plotly", "sqlalchemy"}


def test_public_names_are_lazy_and_found() -> None:
    script = "import pcviz\nassert 'jax' not in sys.modules\npcviz.Experiment\nassert 'jax' not in sys.modules\n"
    script += "[getattr(pcviz, name) for name in pcviz.__all__]"
    assert "jax" in loaded_by(script)


def test_unknown_names_are_attribute_errors() -> None:
    import pcviz

    with pytest.raises(AttributeError, match="nonsense"):
        pcviz.nonsense  # noqa: B018
    assert set(pcviz.__all__) <= set(dir(pcviz))
