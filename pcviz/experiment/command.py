"""An experiment as the flags of a command; `pcviz.cli.flags` reads them."""

from pcviz.experiment.whole import Experiment


def spelling(path: str) -> str:
    """`inference.step_size` -> `--inference.step-size`."""
    return "--" + path.replace("_", "-")


def command_line(experiment: Experiment) -> list[str]:
    """The flags that describe `experiment`: the inverse of `pcviz.cli.flags.parse`."""
    words: list[str] = []
    for path, value in experiment.differences().items():
        if isinstance(value, bool):
            section, dot, last = path.rpartition(".")
            words.append(spelling(path if value else f"{section}{dot}no_{last}"))
        else:
            words += [spelling(path), str(value)]
    return words
