"""One row of facts and one file for each solver, and no other table of their names."""

import ast
import pkgutil
from pathlib import Path

import pytest

import pcviz
from pcviz.experiment.inference import Inference
from pcviz.experiment.solvers import SOLVERS
from pcviz.pcn import solvers
from pcviz.pcn.solvers import solver_of

PACKAGE = Path(pcviz.__file__).parent


def test_every_row_has_a_file_and_every_file_a_row() -> None:
    files = {info.name for info in pkgutil.iter_modules(solvers.__path__)} - {"base"}
    assert files == set(SOLVERS)


@pytest.mark.parametrize("name", SOLVERS)
def test_rows_say_what_files_do(name: str) -> None:
    facts, solver = SOLVERS[name], solver_of(name)
    assert facts.trains == (solver.update is not None)
    if solver.update is not None:
        assert facts.space == solver.update.space
    assert facts.trains == (name in Inference.model_fields["solver"].annotation.__args__)  # type: ignore[union-attr]


def test_an_unknown_name_is_no_solver() -> None:
    with pytest.raises(KeyError, match="base"):
        solver_of("base")


def names_in(node: ast.AST) -> set[str]:
    """Solvers that a literal table names: keys of a dict, or entries of a tuple, list or set."""
    entries = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", [])
    return {entry.value for entry in entries if isinstance(entry, ast.Constant)} & set(SOLVERS)


def test_there_is_no_other_table_of_solvers() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        if path != PACKAGE / "experiment" / "solvers.py" and "reproduce" not in path.parts  # a protocol names its own
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Dict | ast.Tuple | ast.List | ast.Set) and len(names_in(node)) > 1
    ]
    assert not found
