"""From a network's answers to the scores of a classifier."""

from __future__ import annotations

import torch


class Readout(torch.nn.Module):
    """Scores (n, k) of a network that gives one number a class, or one for two classes.

    Of two classes there is one score, the second logit less the first, or the one there is; less
    one half where ``probabilities`` says that the one number is a probability. So the label is 1
    where the score is above 0.
    """

    def __init__(self, module: torch.nn.Module, classes: int, probabilities: bool = False) -> None:
        super().__init__()
        self.module = module
        self.classes = classes
        self.probabilities = probabilities

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores at x (n, ...)."""
        answer: torch.Tensor = self.module(x)
        answer = answer.reshape(answer.shape[0], -1)
        if self.classes != 2:
            return answer
        if answer.shape[1] == 2:
            return answer[:, 1:] - answer[:, :1]
        return answer - 0.5 if self.probabilities else answer
