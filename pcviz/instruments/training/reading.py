"""What the Train page says while it happens: one sentence for each state of a run, filled with measured numbers."""

from pcviz.experiment import Experiment

REMEDY = "Its last finite weights stay. Try a smaller step size or learning rate, or μPC with skip connections."


def story(experiment: Experiment) -> dict[str, list[str]]:
    """State of a run ("past": of the timeline, at an earlier step) -> templates (as notes of panels): the first whose
    values are known is shown."""
    network, facts, steps = experiment.network, experiment.data.facts, experiment.learning.steps
    how = "predictive coding" if experiment.learning.facts.relaxes else "backpropagation"
    if facts.task == "classification":
        chance = f"guessing gives {100 / facts.output_dim:.0f} %"
        result = f"{{test_accuracy:%0}} of the test set is right ({chance})"
    else:
        result = "the test loss is {test_loss:g3}"
    reached = f"The error reached {{layers_with_signal}} of {network.depth} layers (theory: {{layers_expected}})."
    now = f"after {{step}} of {steps:,} weight steps {result}."
    return {
        "idle": [f"Press Train: {network.depth} layers learn {facts.label.lower()} by {how}."],
        "queued": ["Waiting for its turn."],
        "compiling": ["Compiling the network for this machine. That takes seconds, once for each shape."],
        "running": [f"Training: {now} {reached}", f"Training: {now}", "The first weight steps are on their way."],
        "paused": [f"Paused: {now} {reached}", f"Paused: {now}", "Paused before the first weight step."],
        "done": [f"Done: {now} {reached}", f"Done: {now}"],
        "diverged": [f"Diverged: the energy is no longer finite after weight step {{step}}. {REMEDY}"],
        "past": [f"Back {now} {reached}", f"Back {now}", f"Back after {{step}} of {steps:,} weight steps."],
        "cancelled": [f"Cancelled: {now}", "Cancelled before the first weight step."],
    }
