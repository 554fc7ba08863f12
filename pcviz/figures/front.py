"""How the error travels through a relaxation, in a sentence: it depends on solver and start."""

from pcviz.experiment import Inference


def travel(inference: Inference) -> str:
    """Where the error begins, and when it is where."""
    if inference.facts.space == "errors":
        return "Error-based inference sends the output's error to all layers in its first step."
    if inference.initial == "feedforward":
        return "The error enters at the top and travels one layer per step; until it arrives, a layer is exactly 0."
    if inference.initial == "zero":
        return (
            "From a zero start the first layer and the output have an error at once, which spread by one layer per "
            "step; what a layer owes to the target comes from the top."
        )
    return (
        f"From a {inference.initial} start every layer has an error at once; what it owes to the target comes from the "
        "top, one layer per step."
    )
