"""The command line: documents, exit statuses, one line per fault."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pcviz.cli import flags
from pcviz.cli import relax as cli_relax
from pcviz.cli import reproduce as cli_reproduce
from pcviz.cli import train as cli_train
from pcviz.cli.main import main
from pcviz.cli.train import LastStep
from pcviz.cli.work import FAILED, Patience, patience
from pcviz.data import own
from pcviz.experiment import Experiment, cost, fields
from pcviz.experiment.command import command_line
from pcviz.experiment.presets import PRESETS
from pcviz.frames import Frame
from pcviz.instruments.relaxation.options import Options
from tests.descent import DESCENT
from tests.hostile import nasty_texts, valid_experiments

ROOT = Path(__file__).parents[2]
SMALL = ["--network.depth", "3", "--network.width", "8", "--learning.steps", "4", "--inference.steps", "2"]
WORDS = [flags.spelling(path) for path in fields()] + [
    "--preset",
    "--json",
    "--network.no-skips",
    "--nonsense",
    "-x",
    "--",
]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own."""
    command = [sys.executable, "-m", "pcviz", *words]
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """The lines with which a command line is refused."""
    assert main(list(words)) == 2
    output = capsys.readouterr()
    assert output.out == ""
    return output.err.splitlines()


@pytest.mark.parametrize(
    ("word", "meant"),
    [("--network.dept", "--network.depth"), ("--depth", "--network.depth"), ("--steps", "--learning.steps")],
)
def test_an_unknown_flag_names_those_that_were_meant(word: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = refused(capsys, "train", word, "3")
    assert line.startswith(f"{word}: unknown flag (allowed: the fields of an experiment; closest: ")
    assert meant in line


@settings(max_examples=200)
@given(st.lists(st.sampled_from(WORDS) | nasty_texts, max_size=8))
def test_hostile_command_lines_are_refused_or_valid(words: list[str]) -> None:
    try:
        flags.parse(words, cli_train.FLAGS)
    except flags.BadArguments as bad:
        assert bad.lines
        for line in bad.lines:
            assert "allowed" in line
            assert "\n" not in line


@settings(max_examples=200)
@given(valid_experiments())
def test_flags_round_trip(experiment: Experiment) -> None:
    assert flags.parse(command_line(experiment), cli_train.FLAGS)[0] == experiment


def test_the_documented_line() -> None:
    words = shlex.split("--preset mupc-128 --network.depth 32 --inference.step-size 0.2 --network.no-skips --seed 7")
    experiment, _ = flags.parse(words, cli_train.FLAGS)
    expected = {
        "network.depth": 32,
        "learning.steps": 150,
        "inference.step_size": 0.2,
        "inference.precision_schedule": "spiking",
        "learning.forward_update": True,
        "network.skips": False,
        "seed": 7,
    }
    assert experiment == Experiment().changed(expected)


@pytest.mark.parametrize(
    "words",
    [
        ["--inference.step-size=0.2"],
        ["--inference.step_size", "0.2"],
        ["--inference.step-size", "9", "--inference.step-size", "0.2"],
    ],
)
def test_spellings_of_a_flag(words: list[str]) -> None:
    assert flags.parse(words, cli_train.FLAGS)[0] == Experiment().changed({"inference.step_size": 0.2})


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (["--network.depth", "3200"], "network.depth: 3200 is above 512 (allowed: "),
        (["--network.dept", "3"], "--network.dept: unknown flag (allowed: "),
        (["--network.depth"], "network.depth: the value is missing (allowed: "),
        (["--network.depth", "--json"], "network.depth: the value is missing (allowed: "),
        (["--seed", "-1"], "seed: -1 is below 0 (allowed: "),
        (["--inference.step-size", "-1e-3"], "inference.step_size: -1e-3 is not above 0"),
        (["--network.skips", "maybe"], "maybe: is not a flag (allowed: "),
        (["--network.skips=maybe"], "network.skips: maybe is not one of the allowed values (allowed: true, false)"),
        (["--preset", "nonsense"], "preset: nonsense is not a preset (allowed: first, "),
        (["--json=1"], "json: 1 is not expected (allowed: "),
        (["--data.name", "regression", "--network.loss", "ce"], "network.loss: ce needs classes"),
        (["stray"], "stray: is not a flag (allowed: "),
    ],
)
def test_one_line_per_fault(capsys: pytest.CaptureFixture[str], words: list[str], start: str) -> None:
    (line,) = refused(capsys, "train", *words)
    assert line.startswith(start)


def test_several_faults_are_told_together(capsys: pytest.CaptureFixture[str]) -> None:
    lines = refused(capsys, "train", "--network.depth", "1", "--nonsense", "3", "--seed", "x")
    assert [line.partition(":")[0] for line in lines] == ["--nonsense", "network.depth", "seed"]


def test_unknown_commands_and_ports(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "trian") == [
        "trian: unknown command (allowed: train, relax, diagnose, sweep, reproduce, data, bench, serve)"
    ]
    assert refused(capsys, "serve", "--port", "0") == ["port: 0 is not a port (allowed: 1 to 65535)"]


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "train" in capsys.readouterr().out
    assert main(["train", "--help"]) == 0
    text = capsys.readouterr().out
    for path in fields():
        assert flags.spelling(path) in text
    for preset in PRESETS:
        assert preset in text


def test_a_reader_may_stop_reading() -> None:
    """As `head` does: no traceback."""
    command = [sys.executable, "-m", "pcviz", "train", "--help"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_bad_arguments_do_not_load_jax() -> None:
    script = "import sys; from pcviz.cli.main import main; assert main(['train', '--seed', 'x']) == 2\n"
    script += "assert 'jax' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=60).returncode == 0


def test_numbers_are_those_of_one_step() -> None:
    """An accuracy of an earlier step does not stand beside the loss of a later one."""
    last = LastStep()
    last.see(Frame("train", 3, {"train_loss": 0.5, "test_accuracy": 0.8}))
    last.see(Frame("train", 4, {"train_loss": 0.4, "energy": np.array([1.0, 2.0])}))
    last.see(Frame("train", 4, {"test_loss": 0.3}))
    assert last.number("train_loss") == 0.4 and last.energies == [1.0, 2.0] and last.number("test_loss") == 0.3
    assert last.number("test_accuracy") is None


@pytest.mark.parametrize("command", ["train", "relax", "diagnose", "reproduce", "serve"])
def test_help_tells_limits_and_exit_statuses(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert "3: done, but the network diverged" in text
    told = {
        "train": ["--inference.steps", "(0 or more, or depth, 2depth, 4depth, 8depth; default 4depth)"],
        "relax": ["--step", "(a whole number from 0 to 100000)"],
        "diagnose": ["--step", "(a whole number from 1 to 100000)"],
        "reproduce": ["--limit", "(above 0 to 1e+06)"],
        "serve": ["--port", "(1 to 65535)"],
    }[command]
    (line,) = [line for line in text.splitlines() if line.split()[:1] == told[:1]]
    assert line.endswith(told[1])


def test_help_tells_how_many_examples_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    main(["train", "--help"])
    text = capsys.readouterr().out
    assert "1 to 1437 (digits), 8192 (moons, circles, xor, spiral, gaussians), 20 (regression), or all" in text
    assert "a whole number from 1 to 8192, at most the training examples; default 64" in text


def test_the_command_line_takes_any_number_of_inference_steps(capsys: pytest.CaptureFixture[str]) -> None:
    experiment, _ = flags.parse(["--inference.steps", "5000"], cli_train.FLAGS)
    assert experiment is not None and experiment.inference_steps == 5000
    (line,) = refused(capsys, "train", "--inference.steps", "-1")
    assert line == "inference.steps: -1 is below 0 (allowed: 0 or more, or depth, 2depth, 4depth, 8depth)"


@pytest.mark.parametrize("command", ["train", "relax"])
def test_what_does_not_fit_into_memory_is_refused(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost, "machine_limits", lambda: cost.Limits(memory_bytes=16e9))
    words = [f"--{path}={value}" for path, value in DESCENT.items()]
    (line,) = refused(capsys, command, *words, "--network.depth", "512", "--network.width", "2048")
    assert line.startswith(
        "network.width: 2048 at depth 512 needs 132 GB of memory, above 16 GB (nearest width that fits: "
    )


@pytest.mark.parametrize("command", ["train", "relax", "reproduce"])
@pytest.mark.parametrize("limit", ["0", "never", "nan", "1e7"])
def test_limits_are_seconds(command: str, limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = ["inference-budget"] if command == "reproduce" else []
    (line,) = refused(capsys, command, *name, "--limit", limit)
    assert line == f"limit: {limit} is not possible (allowed: above 0 to 1e+06)"


def test_patience_ends_with_the_limit_or_with_control_c() -> None:
    assert not Patience(None).over and Patience(1e-9).over
    before = signal.getsignal(signal.SIGINT)
    with patience() as patient:
        assert not patient.over
        signal.raise_signal(signal.SIGINT)
        assert patient.over and patient.status(diverged=False, done=False) == "stopped (interrupted)"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_what_is_stopped_prints_what_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--json", *SMALL, "--learning.steps", "100000", "--limit", "1e-6"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == "stopped (limit)"
    assert 0 < document["steps"] < 100_000 and document["train_loss"] > 0

    experiment, _ = flags.parse(SMALL, cli_train.FLAGS)
    assert experiment is not None
    document = cli_relax.run_relaxation(experiment, Options(solvers=(), step=3), 1e-6, quiet=True)
    assert document["status"] == "stopped (limit)" and document["steps"] == 0
    assert document["solvers"] == [] and document["energies"] is None
    assert capsys.readouterr().err.startswith("estimate: ")
    assert "stopped (limit)" in cli_relax.summary(document)


def test_a_reproduction_that_is_stopped_prints_what_it_has() -> None:
    document = cli_reproduce.run_reproduction(cli_reproduce.Options(), 1e-6, quiet=True)
    assert document["status"] == "stopped (limit)" and document["cells"] == []
    text = cli_reproduce.summary(document)
    assert "0 cells" in text and "> " not in text and "not within cap" not in text, "nothing was measured"


def test_a_training_run_as_json() -> None:
    answer = run("train", "--json", *SMALL)
    assert answer.returncode == 0, answer.stderr
    document = json.loads(answer.stdout)
    assert answer.stdout.count("\n") == 1
    assert document["schema"] == 1
    assert document["status"] == "done"
    assert document["steps"] == 4
    assert document["experiment"]["network"]["width"] == 8
    assert len(document["energies"]) == 3
    assert 0 <= document["test_accuracy"] <= 1
    assert 0 <= document["layers_with_signal"] <= 3
    assert document["layers_expected"] == document["layers_learning"] == 3 and document["energy_off_theory"] < 1
    assert 0 < document["energy_left"] < 1
    assert document["seconds"] > 0
    assert document["device"]
    assert {"train_loss", "test_loss"} <= document.keys()


def test_regression_has_no_accuracy_and_people_get_text() -> None:
    answer = run("train", *SMALL, "--data.name", "regression", "--learning.batch-size", "20")
    assert answer.returncode == 0, answer.stderr
    assert "done after 4 weight steps" in answer.stdout
    assert "accuracy" not in answer.stdout


def test_divergence_is_a_result_not_a_failure() -> None:
    wild = ["--learning.optimiser", "sgd", "--learning.learning-rate", "100", "--learning.steps", "400"]
    wild += ["--network.activation", "linear", "--network.parameterisation", "sp"]
    answer = run("train", "--json", *SMALL, *wild)
    assert answer.returncode == 3, answer.stderr
    document = json.loads(answer.stdout)
    assert document["status"] == "diverged"
    assert document["steps"] < 400
    assert document["train_loss"] is not None
    text = cli_train.summary(document)
    assert f"weight step {document['steps'] + 1} was not finite; results are of step {document['steps']}" in text

    # The same numbers as of a run that ends with that step.
    experiment, _ = flags.parse([*SMALL, *wild, "--learning.steps", str(document["steps"])], cli_train.FLAGS)
    assert experiment is not None
    until = cli_train.run_training(experiment, quiet=True)
    assert until["status"] == "done"
    for name in ("steps", "train_loss", "test_accuracy", "energies", "layers_with_signal", "energy_off_theory"):
        assert document[name] == until[name], name


def test_an_interrupt_is_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(words: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_train, "run", interrupted)
    assert main(["train"]) == FAILED and capsys.readouterr().err == "interrupted\n"


def test_a_failure_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: Any, **__: Any) -> dict[str, Any]:
        raise MemoryError("no room\nfor this")

    monkeypatch.setattr(cli_train, "run_training", fail)
    assert main(["train"]) == 1
    output = capsys.readouterr()
    assert output.err == "training failed: MemoryError: no room for this\n"
    assert output.out == ""


@pytest.mark.parametrize("command", ["train", "relax"])
def test_a_weight_step_that_nobody_waits_for_is_warned_of(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line goes on, to whatever comes of it."""

    def work(*_: object, **__: object) -> None:
        raise RuntimeError("it went on")

    monkeypatch.setattr(cli_train, "run_training", work)
    monkeypatch.setattr(cli_relax, "run_relaxation", work)
    assert main([command, "--network.depth", "128", "--network.width", "128", "--inference.steps", "1000000"]) == 1
    output = capsys.readouterr()
    warning, failure = output.err.splitlines()
    assert warning.startswith("warning: inference.steps: 1000000 makes the relaxation of one weight step last ≈ ")
    assert "nearest number of steps that fits" in warning and failure.endswith("it went on") and output.out == ""


def test_data_of_ones_own_are_added_trained_on_and_deleted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    arrays = {"x_train": x[:30], "y_train": y[:30], "x_test": x[30:], "y_test": y[30:]}
    np.savez(tmp_path / "good.npz", **arrays)
    np.savez(tmp_path / "bad.npz", **arrays | {"y_test": y})
    (line,) = refused(capsys, "data", "add", str(tmp_path / "bad.npz"))
    assert line.endswith("bad.npz: y_test: there are 40 targets (allowed: 10, as many as rows of x_test)")
    assert main(["data", "add", str(tmp_path / "good.npz")]) == 0
    name = capsys.readouterr().out.strip()
    own.HELD.clear()  # another process
    assert main(["train", *SMALL, "--learning.batch_size", "10", "--data.name", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["experiment"]["data"]["name"] == name
    assert main(["data", "list"]) == 0
    assert capsys.readouterr().out.startswith(f"{name}  ")
    assert main(["data", "delete", name]) == 0
    own.HELD.clear()
    (line,) = refused(capsys, "train", *SMALL, "--learning.batch_size", "10", "--data.name", name)
    assert line.startswith(f"data.name: {name} is not held here")
    (line,) = refused(capsys, "data", "steal", name)
    assert line == f"data steal {name}: is not understood (allowed: add FILE.npz, list, delete NAME)"
