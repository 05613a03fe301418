"""One case after another: every decision that a box leaves open is taken each way in turn."""

from __future__ import annotations

MOST = 32
"""Cases of one box; with more of them it is divided."""


class Unbounded(Exception):
    """Nothing is known of the result on a box; ``certain``: it is wrong everywhere there."""

    def __init__(self, why: str, *, certain: bool = False) -> None:
        super().__init__(why)
        self.why, self.certain = why, certain


class Impossible(Exception):
    """The decisions taken contradict each other: no point of the box takes all of them."""


class Choices:
    """The decisions of a run, and of those that are still to come, like the digits of a counter."""

    def __init__(self) -> None:
        self._taken: list[int] = []
        self._counts: list[int] = []
        self._at = 0
        self._runs = 1

    @property
    def alone(self) -> bool:
        """Whether there is one case only, as far as is known."""
        return all(count == 1 for count in self._counts)

    def take(self, count: int) -> int:
        """Which of ``count`` ways the run goes now."""
        if self._at == len(self._taken):
            self._taken.append(0)
            self._counts.append(count)
        self._at += 1
        return self._taken[self._at - 1]

    def again(self) -> bool:
        """Begin the next case; False where there is none left.

        Raises
        ------
        Unbounded : when there are too many.
        """
        self._runs += 1
        self._at = 0
        while self._taken:
            if self._taken[-1] + 1 < self._counts[-1]:
                self._taken[-1] += 1
                if self._runs > MOST:
                    raise Unbounded("there are too many cases to tell apart")
                return True
            self._taken.pop()
            self._counts.pop()
        return False
