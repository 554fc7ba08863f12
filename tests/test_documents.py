"""Documents that code, tests and documents cite exist, with the sections that are named, and so does what they link."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
AT_THE_TOP = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
"""Documents that stand beside `docs/`."""

CODE = [
    path
    for folder in ("pcviz", "tests", "benchmarks", "recordings")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".js") and path != Path(__file__)
]
DOCUMENTS = [*sorted(DOCS.glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]

NUMBER = r"\d+(?:\.\d+)*"
CITATION = re.compile(rf"([\w-]+\.md)(?:\]\([^)]*\))?((?:(?: |, | and | to |\s+){NUMBER}(?![\w%]))*)")
"""A document, perhaps as a link, and the sections that follow it: "theory.md 3.7, 4.1 and 4.2"."""
HEADING = re.compile(rf"^#+ ({NUMBER})\.? ", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def cited(path: Path) -> list[tuple[str, list[str]]]:
    """The documents that a file names, each with the numbers of the sections behind it."""
    found = CITATION.findall(path.read_text(encoding="utf-8"))
    return [(name, re.findall(NUMBER, sections)) for name, sections in found]


CITING = [path for path in [*CODE, *DOCUMENTS, ROOT / "app.py"] if cited(path)]


def sections(document: str) -> set[str]:
    """The numbers of the headings of a document in `docs/`."""
    return set(HEADING.findall((DOCS / document).read_text(encoding="utf-8")))


def test_citations_are_found_and_told_apart() -> None:
    text = "(theory.md 3.7, 4.1 and 4.2; 5), [methods.md](methods.md) 3, docs/health.md, theory.md 8: oracles 10, 12"
    found = [(name, re.findall(NUMBER, numbers)) for name, numbers in CITATION.findall(text)]
    assert found == [
        ("theory.md", ["3.7", "4.1", "4.2"]),
        ("methods.md", ["3"]),
        ("health.md", []),
        ("theory.md", ["8"]),
    ]


@pytest.mark.parametrize("path", CITING, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_file_cites_exists(path: Path) -> None:
    for name, numbers in cited(path):
        if name in AT_THE_TOP:
            assert (ROOT / name).is_file() and not numbers
            continue
        assert (DOCS / name).is_file(), f"{name} does not stand in docs/"
        missing = [number for number in numbers if number not in sections(name)]
        assert not missing, f"{name} has no section {', '.join(missing)}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_links_exists(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (path.parent / target).exists(), f"{target} is not there"


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_sections_are_numbered_in_order(path: Path) -> None:
    numbers = [tuple(map(int, number.split("."))) for number in HEADING.findall(path.read_text(encoding="utf-8"))]
    assert numbers == sorted(set(numbers))


def test_every_cited_document_has_sections_that_are_cited() -> None:
    names = {name for path in CODE for name, numbers in cited(path) if numbers}
    assert {"theory.md", "methods.md", "performance.md", "architecture.md"} <= names
