"""Running a model in onnxruntime: on the CPU, from bytes, always in the same way."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.errors import TeacherError

_PREFIX = re.compile(r"\[ONNXRuntimeError\] : \d+ : \w+ : ")
_NO_KERNEL = re.compile(r"implementation for (\w+)\((\d+)\)")


@dataclass
class Session:
    """A model that is loaded when it is first asked; only its bytes travel between processes.

    Attributes
    ----------
    model : the serialised model with all its weights.
    names : the tensors that are asked for.
    threads : how many one call uses; with one, sums are made in the order of the model.
    where : for messages.
    """

    model: bytes = field(repr=False)
    names: tuple[str, ...]
    threads: int
    where: str
    _loaded: Any = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_loaded": None}

    def run(self, feed: dict[str, npt.NDArray[Any]], timeout: float) -> list[Any]:
        """The tensors asked for; ``timeout`` s are what one call may take.

        Raises
        ------
        TeacherError : when onnxruntime cannot load or run the model, or not in time.
        """
        import onnxruntime

        if self._loaded is None:
            self._loaded = self._load(onnxruntime)
        options = onnxruntime.RunOptions()
        options.log_severity_level = 4
        late = threading.Event()

        def stop() -> None:
            late.set()
            options.terminate = True

        timer = threading.Timer(timeout, stop)
        timer.daemon = True
        timer.start()
        try:
            answers: list[Any] = self._loaded.run(list(self.names), feed, options)
        except Exception as error:  # onnxruntime's own kinds, which differ between versions
            if late.is_set():
                raise TeacherError(
                    f"the model did not answer {len(next(iter(feed.values())))} points within "
                    f"{timeout:g} s.",
                    where=self.where,
                    hint="raise the option `timeout`, or lower `batch`, the number of points it is "
                    "asked at a time.",
                ) from None
            raise TeacherError(
                f"onnxruntime cannot run the model: {_said(error)}",
                where=self.where,
                hint="try it in onnxruntime alone; narrow the domain if only some points fail.",
            ) from None
        finally:
            timer.cancel()
        return answers

    def _load(self, onnxruntime: Any) -> Any:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.use_deterministic_compute = True
        try:
            return onnxruntime.InferenceSession(
                self.model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # as above
            if found := _NO_KERNEL.search(str(error)):
                raise TeacherError(
                    f"onnxruntime {onnxruntime.__version__} does not have the operator "
                    f"`{found[1]}` of version {found[2]} for these types of numbers.",
                    where=self.where,
                    hint="export in float32 and with another opset_version, or without this "
                    "operator.",
                ) from None
            raise TeacherError(
                f"onnxruntime {onnxruntime.__version__} cannot load the model: {_said(error)}",
                where=self.where,
                hint="export it again with an older opset_version, or bring onnxruntime up to "
                "date.",
            ) from None


def _said(error: Exception) -> str:
    """What onnxruntime said, without its own source files and signatures."""
    text = _PREFIX.sub("", str(error)).strip().split("\n")[0]
    if "/onnxruntime_src/" in text:
        text = re.split(r"(?:\)|\]|\) const) (?=[A-Za-z0-9])", text)[-1]
    return text[:400]


def padded(x: npt.NDArray[np.float64], rows: int) -> npt.NDArray[np.float64]:
    """The points with the last one repeated until there are ``rows``."""
    return x if len(x) == rows else np.concatenate([x, np.repeat(x[-1:], rows - len(x), axis=0)])
