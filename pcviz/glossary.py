"""The words and symbols on the pages, in plain words: what each means, in which unit, and where it is defined."""

from typing import NamedTuple

TRAIN, INFERENCE, LANDSCAPE, DIAGNOSE, SCALING = "train", "inference", "landscape", "diagnose", "scaling"
FINDINGS = "findings"
ALL = (TRAIN, INFERENCE, LANDSCAPE, DIAGNOSE, SCALING, FINDINGS)
DOCUMENT = "docs/theory.md"
_NOT_SHOWN = "Not shown where theory makes no prediction: starts other than feedforward, Adam on the activities."


class Entry(NamedTuple):
    """A word: what it means, the heading in `DOCUMENT` under which it is defined, the pages that use it, its symbol
    and its unit ("" for none)."""

    text: str
    section: str
    pages: tuple[str, ...] = ALL
    symbol: str = ""
    unit: str = ""

    @property
    def full(self) -> str:
        """The text with its unit, and where to read more."""
        unit = f" Unit: {self.unit}." if self.unit else ""
        return f"{self.text}{unit} More: {DOCUMENT}, {self.section}."

    @property
    def link(self) -> str:
        """Where it is defined: document and anchor, as GitHub makes them of headings."""
        kept = "".join(letter for letter in self.section.lower() if letter.isalnum() or letter in " -_")
        return f"{DOCUMENT}#{kept.replace(' ', '-')}"


GLOSSARY: dict[str, Entry] = {
    "Layer": Entry(
        "A group of units that predicts the layer above it. Layer 1 is next to the input, layer L is the output.",
        "0. Notation",
        symbol="l",
    ),
    "Depth": Entry(
        "The number of weight matrices. Papers often count hidden layers instead: one less.", "0. Notation", symbol="L"
    ),
    "Hidden layers": Entry(
        "The layers between input and output. Their activities are free to move during inference.",
        "0. Notation",
        symbol="H = L - 1",
    ),
    "Width": Entry("The number of units in each hidden layer.", "0. Notation", symbol="N"),
    "Activity": Entry(
        "What the units of a layer hold. Inference moves it; input and target stay fixed.", "0. Notation", symbol="z"
    ),
    "Weights": Entry(
        "What a network learns: one matrix for each layer, and biases if they are switched on.",
        "1. The network and its energy",
        symbol="W",
    ),
    "Prediction": Entry(
        "What the layer below says that the activity of a layer should be.", "1. The network and its energy", symbol="μ"
    ),
    "Error": Entry(
        "Activity less prediction. It is what a layer has to tell its neighbours, and what its weights learn from.",
        "0. Notation",
        symbol="e = z - μ",
    ),
    "Energy": Entry(
        "Half the squared errors, summed over units and layers, as a mean over examples; the output may count more or "
        "less. Inference and learning both lower it.",
        "1.1 Energy",
        symbol="E of a layer, F in all",
    ),
    "Inference": Entry(
        "Also called relaxation: with input and target fixed, the activities move down the energy while the weights "
        "rest.",
        "3. Inference and learning",
    ),
    "Inference step": Entry(
        "One small move of all activities. T of them come before each weight step.",
        "3.1 Gradient descent on the activities",
        symbol="t, of T",
    ),
    "Step size": Entry(
        "How far an inference step goes. Too large, and the energy grows instead of falling.",
        "3.1 Gradient descent on the activities",
        symbol="η",
        unit="for each example",
    ),
    "Weight step": Entry(
        "One change of all weights, learned from one batch of examples. The tile shows how many are done, of those "
        "asked for.",
        "3. Inference and learning",
        (TRAIN, LANDSCAPE),
    ),
    "Solver": Entry(
        "How inference moves the activities down the energy: gradient descent, or something faster.",
        "3. Inference and learning",
    ),
    "Learning rule": Entry(
        "When weights move: PC after inference, iPC during it, BP without any.", "3.5 Learning rules", (TRAIN,)
    ),
    "Backpropagation": Entry(
        "The usual way to train networks: one pass sends the output's error down through all layers. Here it is the "
        "baseline.",
        "3.5 Learning rules",
        symbol="BP",
    ),
    "Feedforward": Entry(
        "One pass from the input up, without a target: every activity equals its prediction, every hidden error is "
        "zero. It is how a network answers, and where inference starts.",
        "1.4 Initial activities",
    ),
    "Train loss": Entry(
        "How wrong the feedforward answer is on the latest training batch: half the squared error, or the "
        "cross-entropy. Smaller is better.",
        "1.1 Energy",
        (TRAIN,),
    ),
    "Test loss": Entry(
        "How wrong the feedforward answer is on the whole test set, which is never trained on: half the squared error, "
        "or the cross-entropy. Smaller is better.",
        "1.1 Energy",
        (TRAIN,),
    ),
    "Test accuracy": Entry(
        "Share of the test set, which is never trained on, that the feedforward answer classifies correctly.",
        "1. The network and its energy",
        (TRAIN,),
        unit="%",
    ),
    "Energy left": Entry(
        "Energy at the end of the relaxation over that at its start. Below 1: inference lowered it, as it should. "
        "Above 1: its steps are too large for this network.",
        "3.1 Gradient descent on the activities",
        (TRAIN,),
    ),
    "Energy off theory": Entry(
        "How many times too much or too little energy the worst layer has. Theory expects what the marks in the bars "
        "show: what is there after T steps of this size, if every layer passes its error on unchanged. Networks that "
        "learned began within 100×, mostly 10×; deep ones that did not began at 1000× to 10¹⁷×, because the error is "
        "lost or amplified on its way down. " + _NOT_SHOWN,
        "6.2 How much arrives",
        (TRAIN,),
        unit="times (×)",
    ),
    "Layers that learn": Entry(
        "Layers whose weights moved by 0.01 % to 20 % of their size in the latest step, of those that an error, by "
        "theory, reaches in T steps of this size: so many are expected. Layers further down keep their weights, and "
        "skips carry the input through them: that is not a fault. " + _NOT_SHOWN,
        "6.2 How much arrives",
        (TRAIN,),
        unit="layers",
    ),
    "Layers with a signal": Entry(
        "Layers that the target has reached: their error is more than rounding.",
        "6.3 Layers with a signal",
        (TRAIN, INFERENCE),
        unit="layers",
    ),
    "Front": Entry(
        "The lowest layer that the output's error has reached, from a feedforward start. It moves down one layer in "
        "each step of a solver that moves activities; below it all errors are exactly zero.",
        "6.1 The front, and exact zeros",
        (TRAIN, INFERENCE),
    ),
    "Equilibrium": Entry(
        "Where inference comes to rest: no small move of the activities lowers the energy any more.",
        "4.2 Equilibrated energy",
    ),
    "Equilibrated energy": Entry(
        "The energy that is left at equilibrium, for given weights. Predictive coding learns on it as backpropagation "
        "does on the loss.",
        "4.2 Equilibrated energy",
        symbol="F*",
    ),
    "Rescaling": Entry(
        "What turns the loss into F* in linear networks. Where it comes close to 1 / λ, with λ the precision, "
        "predictive coding at equilibrium learns as backpropagation does.",
        "4.2 Equilibrated energy",
        (INFERENCE, LANDSCAPE),
        symbol="S",
    ),
    "Spectrum": Entry(
        "How strongly the energy curves, direction by direction: the eigenvalues of its second derivatives. The "
        "steepest direction limits the step size, the flattest decides how long inference takes.",
        "4.1 The activity Hessian",
        (INFERENCE, LANDSCAPE),
        symbol="λ with an index",
    ),
    "Condition number": Entry(
        "Steepest over flattest curvature: how much longer plain descent takes in the flattest direction.",
        "4.4 Conditioning",
        (INFERENCE, LANDSCAPE),
        symbol="κ",
    ),
    "Parameterisation": Entry(
        "How predictions are scaled with width and depth, and how weights start. SP is the standard one; NTP is that "
        "of the neural tangent kernel; μPC lets networks of 128 layers and more learn, if they have skips.",
        "2. Parameterisations",
        symbol="SP, NTP, μPC",
    ),
    "Skip connections": Entry(
        "The activity of a hidden layer is added to the prediction of the next one, so that a signal has a direct way "
        "through.",
        "1.3 Skips",
    ),
    "Precision": Entry(
        "How much the output's energy counts against that of the hidden layers.", "0. Notation", symbol="λ"
    ),
    "Twin": Entry(
        "A network that differs from this one in one thing, trained from the same seed on the same batches for as many "
        "weight steps. What it gains or loses is what that thing costs.",
        "5.7 Twins",
        (DIAGNOSE,),
    ),
    "Points": Entry(
        "Per cent of the test examples; where there are no classes half per cent of the training loss of chance.",
        "5.7 Twins",
        (DIAGNOSE,),
    ),
    "Cell": Entry(
        "One short training of a sweep: the network with one value of every option that varies, and one seed.",
        "2.2 Learning rates",
        (SCALING, FINDINGS),
    ),
    "Transfer": Entry(
        "A setting transfers if its best value stays the same when the network gets wider or deeper. What was tuned on "
        "a small network then holds for a large one.",
        "2.2 Learning rates",
        (SCALING, FINDINGS),
    ),
    "Stable": Entry(
        "A way to scale networks is stable if neither activities nor what a weight step changes in them grow without "
        "limit as networks get wider or deeper.",
        "2.5 The family, and its stable, feature-learning set",
        (SCALING, FINDINGS),
    ),
    "Lazy and rich": Entry(
        "A lazy network learns while the activities of its hidden layers hardly change. A rich one changes them: it "
        "learns features.",
        "2.5 The family, and its stable, feature-learning set",
        (SCALING, FINDINGS),
    ),
    "PCA directions": Entry(
        "The two directions in which the weights moved most during this training. The loss landscape is drawn over "
        "them.",
        "7. Surfaces over the weights",
        (TRAIN, LANDSCAPE),
    ),
}
"""Word -> its entry, in reading order: first the network, then inference and learning, then what is measured."""
