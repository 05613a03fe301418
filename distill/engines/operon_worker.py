"""The process in which Operon searches: ``python -m distill.engines.operon_worker``.

NSGA-II (Deb et al. 2002) over error and length with Levenberg-Marquardt on the constants of every
formula, as Operon builds it (Burlacu, Kronberger, Kommenda 2020), one independent restart after
the other until the parent has enough. After each generation the formulas that are new on the
front are sent as nodes in post-order.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyoperon as op

from distill.arrays import Array
from distill.engines.child import Message, receive_job, send

CROSSOVER, MUTATION, TOURNAMENT = 1.0, 0.25, 5
FIRST_LENGTH = 10
NEWS = 0.98
"""A formula is news when its error is below this part of the best one at most as long."""

Table = npt.NDArray[np.float32]


class Search:
    """One restart on the float32 table (n, d + 1) whose last column is the output.

    Operon's objects hold bare pointers to each other, so all of them are kept as attributes.
    """

    def __init__(self, job: Message, table: Table, generations: int, seed: int) -> None:
        self.table = np.asfortranarray(table)
        self.data = op.Dataset(self.table)
        columns = sorted(self.data.Variables, key=lambda v: v.Index)
        self.columns = {v.Hash: i for i, v in enumerate(columns)}
        inputs = [v.Hash for v in columns[:-1]]
        self.problem = op.Problem(self.data)
        self.problem.TrainingRange = op.Range(0, self.data.Rows)
        self.problem.TestRange = op.Range(self.data.Rows - 1, self.data.Rows)
        self.problem.Target = columns[-1]
        self.problem.InputHashes = inputs
        kinds = [getattr(op.NodeType, name) for name in job["operators"]]
        self.problem.ConfigurePrimitiveSet(
            sum(map(int, [*kinds, op.NodeType.Constant, op.NodeType.Variable]))
        )
        self.primitives = self.problem.PrimitiveSet
        for kind, frequency in zip(kinds, job["operators"].values(), strict=True):
            self.primitives.SetFrequency(op.Node(kind), frequency)
        # Else leaves would be drowned by functions whose frequency is above one.
        leaves = round(sum(job["operators"].values()) / len(kinds))
        self.primitives.SetFrequency(op.Node(op.NodeType.Constant), leaves)
        self.primitives.SetFrequency(op.Node(op.NodeType.Variable), leaves)
        self.creator = op.BalancedTreeCreator(self.primitives, inputs, 0.0)
        self.coefficients = op.NormalCoefficientInitializer()
        self.coefficients.ParameterizeDistribution(0, 1)
        self.dispatch = op.DispatchTable()
        self.optimizer = op.LMOptimizer(self.dispatch, self.problem, job["iterations"], 0)
        self.error = op.Evaluator(self.problem, self.dispatch, op.MSE(), True)
        self.length = op.LengthEvaluator(self.problem)
        self.evaluator = op.MultiEvaluator(self.problem)
        for part in (self.error, self.length):
            part.Budget = 2**62
            self.evaluator.Add(part)
        self.evaluator.Budget = 2**62
        self.comparison = op.CrowdedComparison()
        self.selector = op.TournamentSelector(self.comparison)
        self.selector.TournamentSize = TOURNAMENT
        self.crossover = op.SubtreeCrossover(0.9, job["max_depth"], job["max_length"])
        self.mutation = op.MultiMutation()
        self.mutations = list(self._mutations(job, inputs))
        for mutation in self.mutations:
            self.mutation.Add(mutation, 1.0)
        self.local_search = op.CoefficientOptimizer(self.optimizer)
        self.generator = op.BasicOffspringGenerator(
            self.evaluator,
            self.crossover,
            self.mutation,
            self.selector,
            self.selector,
            self.local_search,
        )
        self.initializer = op.UniformLengthTreeInitializer(self.creator)
        self.initializer.ParameterizeDistribution(2, min(FIRST_LENGTH, job["max_length"]))
        self.initializer.MinDepth = 1
        self.initializer.MaxDepth = job["max_depth"]
        self.config = op.GeneticAlgorithmConfig(
            generations=generations,
            max_evaluations=2**62,
            local_iterations=job["iterations"],
            population_size=job["population"],
            pool_size=job["population"],
            p_crossover=CROSSOVER,
            p_mutation=MUTATION,
            epsilon=0.0,
            seed=seed,
        )
        self.reinserter = op.KeepBestReinserter(self.comparison)
        self.sorter = op.RankSorter()
        self.algorithm = op.NSGA2Algorithm(
            self.config,
            self.problem,
            self.initializer,
            self.coefficients,
            self.generator,
            self.reinserter,
            self.sorter,
        )
        self.random = op.RandomGenerator(seed)

    def _mutations(self, job: Message, inputs: list[int]) -> Iterator[Any]:
        for changed in (op.NormalOnePointMutation(), op.NormalMultiPointMutation()):
            changed.ParameterizeDistribution(0, 1)
            yield changed
        yield op.ChangeVariableMutation(inputs)
        yield op.ChangeFunctionMutation(self.primitives)
        limits = (self.creator, self.coefficients, job["max_depth"], job["max_length"])
        yield op.ReplaceSubtreeMutation(*limits)
        yield op.InsertSubtreeMutation(*limits)
        yield op.RemoveSubtreeMutation(self.primitives)

    def front(self) -> list[tuple[float, int, list[list[Any]]]]:
        """Error, length and nodes of the best formulas, the shortest first."""
        rows = [(m.GetFitness(0), m.GetFitness(1), m.Genotype) for m in self.algorithm.BestFront]
        rows.sort(key=lambda row: (row[1], row[0]))
        return [
            (error, int(length), self._nodes(tree))
            for error, length, tree in rows
            if np.isfinite(error) and error < np.finfo(np.float32).max
        ]

    def _nodes(self, tree: Any) -> list[list[Any]]:
        return [
            ["Variable", self.columns[n.HashValue], n.Value]
            if n.IsVariable
            else [n.Type.name, n.Arity, n.Value]
            for n in tree.Nodes
        ]


def restart(job: Message, table: Array, number: int) -> None:
    """Search once and send the news of every generation."""
    seed = np.random.SeedSequence([job["seed"], number])
    rows = np.sort(np.random.default_rng(seed).permutation(len(table))[: job["rows"]])
    offset, scale = job["scalings"][number % len(job["scalings"])]
    shift = np.array([*offset, job["output"][0]])
    seen = (table[rows] - shift) / np.array([*scale, job["output"][1]])
    search = Search(
        job,
        seen.astype(np.float32),
        job["generations"][number],
        int(seed.generate_state(1)[0]),
    )
    best: dict[int, float] = {}

    def report() -> None:
        news = []
        for error, length, nodes in search.front():
            if error < NEWS * min((e for n, e in best.items() if n <= length), default=np.inf):
                best[length] = error
                news.append(nodes)
        evaluations = search.evaluator.ResidualEvaluations + search.evaluator.JacobianEvaluations
        send(
            {
                "restart": number,
                "generation": search.algorithm.Generation,
                "evaluations": evaluations,
                "front": news,
            }
        )

    search.algorithm.Run(search.random, report, job["threads"], False)


def main() -> None:
    """Restart after restart, from ``job["first"]`` on."""
    job, table = receive_job()
    for number in range(job["first"], len(job["generations"])):
        restart(job, table, number)
    # Operon's bindings complain about their own leaks in an orderly shutdown.
    os._exit(0)


if __name__ == "__main__":
    main()
