"""How the error travels through a relaxation, in a sentence: it depends on solver and start."""

from pcviz.experiment import Inference


def travel(inference: Inference) -> str:
    """Where the error begins, and how it travels."""
    if inference.facts.space == "errors":
        return "Error-based inference sends the output's error to all layers in its first step."
    if inference.activity_decay:
        return (
            "Activity decay moves every layer from the first step on; the part that depends on the target comes from "
            "the top, one layer per step."
        )
    if inference.initial == "feedforward":
        return "The error comes from the top, one layer per step; until it arrives, a layer's error is exactly 0."
    if inference.initial == "zero":
        return (
            "From a zero start the first layer and the output have an error at once; both spread by one layer per "
            "step. The part that depends on the target comes from the top."
        )
    return (
        f"From a {inference.initial} start every layer has an error at once; the part that depends on the target comes "
        "from the top, one layer per step."
    )
