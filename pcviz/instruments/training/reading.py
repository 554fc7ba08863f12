"""What the Train page says while it happens: one sentence for each state of a run, filled with measured numbers."""

from pcviz.experiment import Experiment

REMEDY = "Its last finite weights stay. Try a smaller step size or learning rate, or μPC with skip connections."


SIGNS = {
    "unreached": "the error does not reach all layers",
    "faint": "errors are only rounding",
    "rising": "the energy rises in the relaxation",
    "leaping": "weights move by more than 20 %",
}
"""What begins at a mark in the learning curves, in the order of `sign_history`."""


def story(experiment: Experiment) -> dict[str, list[str]]:
    """State of a run ("past": of the timeline, at an earlier step) -> templates (as notes of panels): the first whose
    values are known is shown."""
    network, facts, steps = experiment.network, experiment.data.facts, experiment.learning.steps
    how = "predictive coding" if experiment.learning.facts.relaxes else "backpropagation"
    if facts.task == "classification":
        chance = f"guessing gives {100 / facts.output_dim:.0f} %"
        result = f"{{test_accuracy:%0}} of the test set is right ({chance})"
        tested = f"at the last test {{test_accuracy:%0}} of the test set was right ({chance})"
    else:
        result = "the test loss is {test_loss:g3}"
        tested = "at the last test its loss was {test_loss:g3}"
    reached = f"The error reached {{layers_with_signal}} of {network.depth} layers (theory: {{layers_expected}})."
    now = f"after {{step}} of {steps:,} weight steps {result}."
    so_far = f"after {{step}} of {steps:,} weight steps; {tested}."
    return {
        "idle": [f"Press Train: {network.depth} layers learn {facts.label.lower()} by {how}."],
        "queued": ["Waiting for its turn."],
        "compiling": ["Compiling the network for this machine. That takes seconds, once for each shape."],
        "running": [
            f"Training: {so_far} {reached}",
            f"Training: {so_far}",
            "The first weight steps are on their way.",
        ],
        "paused": [f"Paused: {so_far} {reached}", f"Paused: {so_far}", "Paused before the first weight step."],
        "done": [f"Done: {now} {reached}", f"Done: {now}"],
        "diverged": [f"Diverged: the energy is no longer finite after weight step {{step}}. {REMEDY}"],
        "past": [f"Back {now} {reached}", f"Back {now}", f"Back after {{step}} of {steps:,} weight steps."],
        "cancelled": [f"Cancelled: {so_far}", "Cancelled before the first weight step."],
    }


def signs(experiment: Experiment) -> list[str]:
    """Templates of what is wrong now, since which weight step, and what helps; shown are those whose values are
    known."""
    inference = experiment.inference
    needed = experiment.network.depth if inference.precision_schedule != "constant" else experiment.hidden_layers
    why = (
        f"it comes down one layer in an inference step and needs {needed}. More inference steps help."
        if experiment.inference_steps < needed
        else "units that are dead or saturated pass nothing down. A smaller learning rate or other weights help."
    )
    return [
        f"Since step {{unreached_since}} the error does not reach {{unreached_layers}} of {experiment.network.depth} "
        f"layers: {why}",
        f"Since step {{faint_since}} the errors of {{faint_layers}} of {experiment.network.depth} layers are nothing "
        "but rounding: these layers learn at random. A larger step size, more inference steps or momentum help.",
        "Since step {rising_since} the energy rises during the relaxation: the step size is too large for the "
        "curvature. A smaller step size helps. If it began later than in the first steps, weights have grown: then a "
        "smaller learning rate helps.",
        "Since step {leaping_since} weights move by more than 20 % of their size in a step. A smaller learning rate "
        "helps.",
    ]
