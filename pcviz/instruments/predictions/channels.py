"""Channels of the predictions. Y classes; Z the worst mistakes, O examples of the batch, I of the test set (as many as
the options allow, or as there are); T test examples, the first 2000 at most; D inputs.

Classes count from 0, but for those of points in the plane, which count from 1 as in the decision boundary. What a
network predicts is the class of its greatest output, in the feedforward pass.
"""

from pcviz.frames import Channel, bulk, number

CHANNELS: dict[str, Channel] = {
    "confusion": bulk("YY", "examples", "test examples of class (row) that are predicted as (column)", "int32"),
    "mistakes": number("examples", "test examples that are predicted wrongly"),
    "tested": number("examples", "test examples"),
    # the test examples that are predicted wrongly, the greatest margin first
    "mistake_place": bulk("Z", "index", "their places in the test set", "int32"),
    "mistake_class": bulk("Z", "class", "their classes", "int32"),
    "mistake_predicted": bulk("Z", "class", "the predicted ones", "int32"),
    "mistake_margin": bulk("Z", "output", "output of the predicted class less that of the true one (before softmax)"),
    "mistake_shade": bulk("ZD", "shade", "their inputs, from least (0) to greatest (255) in training", "uint8"),
    # the first examples of the latest training batch, predicted by the weights after its step; none at step 0
    "batch_place": bulk("O", "index", "their places in the training set", "int32"),
    "batch_class": bulk("O", "class", "their classes", "int32"),
    "batch_predicted": bulk("O", "class", "the predicted ones", "int32"),
    "batch_shade": bulk("OD", "shade", "their inputs, so too", "uint8"),
    # the first examples of the test set
    "sample_place": bulk("I", "index", "their places in the test set: 0, 1, …", "int32"),
    "sample_class": bulk("I", "class", "their classes", "int32"),
    "sample_predicted": bulk("I", "class", "the predicted ones", "int32"),
    "sample_shade": bulk("ID", "shade", "their inputs, so too", "uint8"),
    # test examples in the plane
    "tested_x": bulk("T", "input", "first input", "float32"),
    "tested_y": bulk("T", "input", "second input", "float32"),
    "tested_label": bulk("T", "class", "the predicted class, counted from 1", "int32"),
    "tested_wrong": bulk("T", "0 or 1", "1: it is not the true one", "int32"),
    # test examples of a regression
    "tested_target": bulk("T", "output", "first dimension of the target"),
    "tested_output": bulk("T", "output", "first dimension of the output"),
}
