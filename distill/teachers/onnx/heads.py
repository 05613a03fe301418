"""What a model answers: numbers, or classes with the scores behind them.

A classifier's scores are taken from before its last step to probabilities where that step is
known (a softmax, a sigmoid, a post-transform): they do not saturate, and their order is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from distill.errors import ConfigError, TeacherError

if TYPE_CHECKING:
    import onnx

CLASSIFIERS = ("TreeEnsembleClassifier", "LinearClassifier", "SVMClassifier")
_SAME = ("Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten")
_LABELS = ("classlabels_int64s", "classlabels_ints", "classlabels_strings")


Margin = Literal["difference", "half", "second", "first"]


@dataclass(frozen=True, slots=True)
class Head:
    """Which of a model's tensors are asked for, and what they mean.

    Attributes
    ----------
    numbers : the tensors of the answers, or of a classifier the one of its scores.
    label : the tensor of a classifier's labels; None where they follow from the scores.
    labels : the label of each class, as the model writes it.
    classes : the names of the classes; empty where numbers are meant.
    threshold : of a classifier with one score, what it must exceed for the second class.
    margin : of a classifier with two scores, what is above 0 for the second class: their
        difference, half of it (where they are each other's negatives), or one of them alone.
    """

    numbers: tuple[str, ...]
    label: str | None = None
    labels: tuple[int | str, ...] = ()
    classes: tuple[str, ...] = ()
    threshold: float = 0.0
    margin: Margin = "difference"


def read_head(
    model: onnx.ModelProto, where: str, picked: Sequence[str] | None, classes: Sequence[str] | None
) -> tuple[onnx.ModelProto, Head]:
    """The model with the tensors that are asked for as its outputs, and what they mean.

    Parameters
    ----------
    picked : names of the model's outputs that are distilled; all numbers if None.
    classes : names of the classes of a model that only answers with scores.

    Raises
    ------
    TeacherError : for a model without an answer in numbers.
    ConfigError : for outputs it does not have, or classes that do not fit.
    """
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    found = {value.name: value for value in copy.graph.output}
    for name in picked or ():
        if name not in found:
            raise ConfigError(
                f"the model has no output `{name}`.",
                where="config key `teacher.options.answers`",
                hint=f"its outputs: {', '.join(found)}.",
            )
    graph = _Graph(copy)
    label = next((name for name in found if graph.is_label(name)), None)
    scores = [name for name in picked or found if name != label]
    if label is not None and (picked is None or label in picked) and len(scores) <= 1:
        return copy, graph.classifier(label, scores, where)
    if picked is None:
        scores = [name for name in scores if graph.is_number(name)]
    elif odd := [name for name in picked if not graph.is_number(name)]:
        raise ConfigError(
            f"the model's output `{odd[0]}` is no tensor of numbers.",
            where="config key `teacher.options.answers`",
        )
    if not scores:
        raise TeacherError(
            "the model has no output that is a tensor of numbers.",
            where=where,
            hint="export it with a tensor of numbers as its output (of skl2onnx: zipmap=False).",
        )
    if classes is not None:
        return copy, graph.named(scores, tuple(classes))
    return copy, Head(tuple(scores))


class _Graph:
    """A model's graph, read backwards from its outputs; new outputs are added to it."""

    def __init__(self, model: onnx.ModelProto) -> None:
        from onnx import shape_inference

        self.graph = model.graph
        inferred = shape_inference.infer_shapes(model).graph
        self.known = {v.name: v for v in (*inferred.value_info, *inferred.input, *inferred.output)}
        self.makers = {name: node for node in self.graph.node for name in node.output}
        self.outputs = {value.name: value for value in self.graph.output}

    def is_number(self, name: str) -> bool:
        """Whether an output is a tensor of real numbers."""
        from onnx import TensorProto

        kind = self.outputs[name].type
        return kind.HasField("tensor_type") and kind.tensor_type.elem_type not in {
            TensorProto.STRING, TensorProto.COMPLEX64, TensorProto.COMPLEX128,
        }  # fmt: skip

    def is_label(self, name: str) -> bool:
        """Whether an output says a class: whole numbers or text, made by what chooses classes."""
        from onnx import TensorProto

        kind = self.outputs[name].type.tensor_type
        if kind.elem_type not in {TensorProto.INT64, TensorProto.INT32, TensorProto.STRING}:
            return False
        node = self._behind(name)
        if node is None:
            return False
        if node.op_type == "ArrayFeatureExtractor":
            node = self._behind(node.input[1])
        return node is not None and node.op_type in (*CLASSIFIERS, "ArgMax", "Where")

    def classifier(self, label: str, scores: Sequence[str], where: str) -> Head:
        """The head of a model with an output of labels, and one of scores or probabilities."""
        node = self._behind(label)
        assert node is not None
        if node.op_type in CLASSIFIERS:
            labels, margin = _labels(node), _margin(node)
            if node.op_type == "SVMClassifier":  # its own scores are those of pairs of classes
                source = scores[0] if scores and len(labels) > 2 else node.output[1]
                return self._asking(self._unzipped(source)[0], label, labels, margin)
            for attribute in node.attribute:
                if attribute.name == "post_transform":
                    attribute.s = b"NONE"
            return self._asking(node.output[1], label, labels, margin)
        labels = ()
        if node.op_type == "ArrayFeatureExtractor":
            labels = self._constant(node.input[0])
            node = self._behind(node.input[1]) or node
        source = node.input[0]  # what the label is the largest of
        if node.op_type != "ArgMax" and scores:
            source, zipped = self._unzipped(scores[0])
            labels = labels or zipped
        if not labels:
            labels = tuple(range(self._width(source, where)))
        if len(labels) < 2:
            raise TeacherError(
                "the classifier has fewer than two classes.",
                where=where,
                hint="train it on data with two classes at least.",
            )
        return self._asking(self._before_probabilities(source), label, labels)

    def _unzipped(self, name: str) -> tuple[str, tuple[int | str, ...]]:
        """The tensor of scores behind a sequence of maps, and the labels in those."""
        node = self.makers.get(name)
        if node is None or node.op_type != "ZipMap":
            return name, ()
        return str(node.input[0]), _labels(node)

    def named(self, scores: Sequence[str], classes: tuple[str, ...]) -> Head:
        """The head of a model of which only the user knows that it classifies."""
        width = self._width(scores[0], "")
        fitting = {0, 1, 2} if len(classes) == 2 else {0, len(classes)}
        if len(scores) > 1 or len(classes) < 2 or width not in fitting:
            raise ConfigError(
                f"{len(classes)} classes do not fit the model's output of {width} scores.",
                where="config key `teacher.options.classes`",
                hint="name each class once; two classes may have one score.",
            )
        node = self.makers.get(scores[0])
        source = self._before_probabilities(scores[0])
        halfway = 0.5 if node is not None and node.op_type == "Sigmoid" else 0.0
        return Head(
            (self._output(source),),
            classes=classes,
            threshold=0.0 if source != scores[0] else halfway,
        )

    def _asking(
        self, source: str, label: str, labels: tuple[int | str, ...], margin: Margin = "difference"
    ) -> Head:
        return Head(
            (self._output(source),), label, labels, tuple(str(x) for x in labels), margin=margin
        )

    def _output(self, name: str) -> str:
        """Make a tensor an output, and say which it is."""
        from onnx import TensorProto, helper

        if name not in self.outputs:
            value = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
            if name in self.known and self.known[name].type.tensor_type.elem_type:
                value.CopyFrom(self.known[name])
            self.graph.output.append(value)
            self.outputs[name] = value
        return name

    def _behind(self, name: str) -> onnx.NodeProto | None:
        """The node that decides a tensor, behind those that only change its shape or type."""
        node = self.makers.get(name)
        while node is not None and node.op_type in _SAME:
            node = self.makers.get(node.input[0])
        return node

    def _before_probabilities(self, name: str) -> str:
        """The scores that a softmax or sigmoid at the end turns into probabilities."""
        node = self.makers.get(name)
        while node is not None and node.op_type == "Identity":
            name = str(node.input[0])
            node = self.makers.get(name)
        if node is not None and node.op_type in {"Softmax", "LogSoftmax", "Sigmoid"}:
            return str(node.input[0])
        if node is not None and node.op_type == "Concat" and len(node.input) == 2:
            # 1 - p beside p: the score that p is the sigmoid of
            less, p = (self.makers.get(part) for part in node.input)
            kinds = less and less.op_type, p and p.op_type
            if less and p and kinds == ("Sub", "Sigmoid") and less.input[1] == node.input[1]:
                return str(p.input[0])
        return name

    def _constant(self, name: str) -> tuple[int | str, ...]:
        from onnx import numpy_helper

        for tensor in self.graph.initializer:
            if tensor.name == name:
                values = numpy_helper.to_array(tensor).reshape(-1).tolist()
                return tuple(_text(value) for value in values)
        return ()

    def _width(self, name: str, where: str) -> int:
        if name in self.known:
            dims = self.known[name].type.tensor_type.shape.dim
            if dims and (len(dims) == 1 or dims[-1].dim_value > 0):
                return int(dims[-1].dim_value) if len(dims) > 1 else 1
        if not where:
            return 0
        raise TeacherError(
            "the model does not say how many classes it has.",
            where=where,
            hint="export it with the shape of its probabilities.",
        )


def _labels(node: onnx.NodeProto) -> tuple[int | str, ...]:
    for attribute in node.attribute:
        values = [*attribute.ints, *attribute.strings] if attribute.name in _LABELS else []
        if values:
            return tuple(_text(value) for value in values)
    return ()


def _text(value: object) -> int | str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return int(value) if isinstance(value, int | float | bool) else str(value)


def _margin(node: onnx.NodeProto) -> Margin:
    """What a classifier's two scores without its post-transform say of its label."""
    given = {a.name: a for a in node.attribute}
    if len(_labels(node)) != 2:
        return "difference"
    if node.op_type == "LinearClassifier":
        factors = np.array(given["coefficients"].floats)
        offsets = np.array(given["intercepts"].floats if "intercepts" in given else [0.0, 0.0])
        half = len(factors) // 2
        if len(offsets) == 1:  # onnxruntime gives 1 - s and s, and asks s for its sign
            return "second"
        softmax = "post_transform" in given and given["post_transform"].s == b"SOFTMAX"
        opposed = (factors[:half] == -factors[half:]).all() and offsets[0] == -offsets[1]
        return "half" if opposed and not softmax else "difference"
    if node.op_type == "TreeEnsembleClassifier" and len(set(given["class_ids"].ints)) == 1:
        return "half"
    if node.op_type == "SVMClassifier" and "prob_a" not in given:
        return "first"  # above 0 for the second class
    return "difference"
