"""What README shows works as it is pasted."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pcviz.cli import main as cli
from pcviz.cli import relax as cli_relax
from pcviz.cli import train as cli_train
from pcviz.cli.flags import parse

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^ {4}python -m pcviz (.*)$", README, re.MULTILINE)
FLAGS = {"train": cli_train.FLAGS, "relax": cli_relax.FLAGS}


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split()[1])
def test_python(block: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", block], cwd=tmp_path, env=environment, check=True)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    name, *words = command.split()
    if name in FLAGS:
        assert parse(words, FLAGS[name])[0] is not None
    try:
        status = cli.main([name, "--help"])
    except SystemExit as ended:  # argparse ends so
        status = ended.code
    assert not status
    assert capsys.readouterr().out
