"""Every cause in plain words, for those who meet it for the first time."""

EXPLAINED: dict[str, str] = {
    "A1": "Learning means finding what inputs and targets have in common. Several very different learners were "
    "asked to do that here, and none guesses new examples better than someone who never looks at them. So "
    "there is nothing to find, or it was lost on the way: labels were shuffled, columns mixed up, or the wrong "
    "file was read.",
    "A2": "A network is built for inputs of about the size of 1. If they are a thousand times larger, the first "
    "layer is pushed to its limits whatever it sees; if they are a thousand times smaller, it hardly notices "
    "them. Subtract from every input its mean over the training examples and divide it by its standard "
    "deviation.",
    "A3": "Inputs that are always the same tell a network nothing, so the weights that read them stay as they "
    "began. That does no harm until a new example differs there: then these weights speak for the first time, "
    "and at random.",
    "A4": "If nine of ten examples belong to one class, a network that always says that class is right nine times "
    "of ten and has learned nothing. Look at how many of the rare classes it gets right, or train on as many "
    "of each.",
    "D10": "Every layer multiplies what it gets. If it makes it a little smaller each time, nothing is left after "
    "many layers; if it makes it a little larger, it explodes. Errors on the way down meet the same fate. How "
    "large weights are at the start, and connections that skip layers, decide which of the three it is; μPC "
    "chooses them so that depth does not matter.",
    "N1": "The output is divided by a number before it is compared with the target. If that number is far too "
    "large, the output can hardly be moved; if it is far too small, each step moves it too far.",
    "N2": "Without a bend in it, a stack of layers does no more than a single one: all of them together multiply "
    "the input by one matrix. Data whose classes no straight line divides stay out of reach, however deep the "
    "network is.",
    "N3": "All that a network knows of its input has to pass through every layer. A layer of one or two units is a "
    "bottleneck: what does not fit through it is lost to all layers above.",
    "N4": "Without biases a network cannot shift anything: at an input of zero it always answers zero, whatever it "
    "has learned. Some data need a threshold somewhere else.",
    "D15": "Each weight step goes downhill, but too far: it lands on the other side of the valley, higher than "
    "before. The loss then jumps about instead of falling.",
    "R1": "Each weight step goes the right way, but so little of it that the training is over before it has arrived "
    "anywhere.",
    "D13": "Adam divides every gradient by its usual size, so that small gradients move weights as far as large "
    "ones. To be safe it adds ε to that size. Where gradients are much smaller than ε it divides by ε alone, "
    "and the weights hardly move. Errors that have come down many layers are often that small.",
    "R2": "Weight decay makes all weights a little smaller in every step. Here it takes away more than learning adds.",
    "R3": "After each step the weights of a layer are stretched or shrunk to one size. At the size chosen here "
    "signals die away or explode on their way through the layers, or what was learned is undone.",
    "D14": "All layers have to learn together: each builds on what those below it deliver. Here some are told to "
    "move hardly at all, or so far that the others cannot follow.",
    "D3": "In the relaxation every activity moves a little in the direction that lowers the energy. If it moves too "
    "far, it ends higher than it began, the next step is larger still, and errors grow instead of settling. "
    "What the weights then learn from is noise.",
    "D1": "The error starts at the output and is handed down from layer to layer, one layer in each inference step. "
    "Here the steps run out before it has come all the way: the layers below are never told that anything is "
    "wrong, and stay as they were.",
    "S1": "The relaxation should start where the network's own prediction is: then the only error is that of the "
    "output, and what moves the activities is the target. From another start there are errors everywhere that "
    "have nothing to do with the target, and they are what is learned.",
    "D20": "Instead of holding the output at the target, nudging only pulls at it. Pulled too weakly, the effect "
    "drowns in rounding; pulled too hard or the wrong way, it is no longer the direction in which the loss "
    "falls.",
    "S2": "Every activity is pulled to zero as well as to its prediction. Here the first pull wins, and the "
    "activities no longer say what the layers below predict.",
    "S3": "The output precision says how much the error of the output counts against those of the hidden layers. If "
    "it is far too large, hidden activities do whatever the output wants, whatever their predictions say; if "
    "it is far too small, they hardly notice the target.",
    "D2": "Each layer passes on only a part of the error that it gets, and keeps the rest. A tenth of a tenth of a "
    "tenth: after a few layers only rounding is left. More inference steps, larger ones or momentum pass on "
    "more; spiking precisions with the forward update pass on all.",
    "D17": "Backpropagation computes the direction in which the loss falls fastest. Predictive coding finds nearly "
    "the same one, if its relaxation ends in the right place. Here it ends elsewhere, and the weights walk in "
    "another direction.",
}
"""Id of a cause -> what it means."""
