"""What a network of bits computes, as equations: ``python pipelines/network_as_equations.py``.

A network with 2 bits in learns all 16 logic functions. It is asked everywhere, and its answers
become 16 minimised formulas, proven on every input, and C of bit operations or a packed table, run
on every input. Beside it stands what expanding the network's own weights gives, which no one can
read, and a student: a smaller network trained on the first one's answers. Writes C, a table and a
figure into build/network_as_equations/. Takes under a minute.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from elftools.elf.elffile import ELFFile

from distill.chain.chain import Chain
from distill.chain.expansion import growth
from distill.chain.steps.affine import Affine
from distill.chain.steps.elementwise import Apply
from distill.domain import Domain, Variable
from distill.engines.boolean import boolean_candidates
from distill.firmware.chains.code import ChainCode, chain_code
from distill.firmware.toolchains.host import host_compilers
from distill.logic import equation, minimise
from distill.logic.build import logic_steps
from distill.sampling.designs import exhaustive

mpl.use("Agg")
from matplotlib import pyplot as plt

OUT = Path("build/network_as_equations")
DOMAIN = Domain(tuple(Variable(name, 0, 1, kind="boolean") for name in ("a", "b")))
INPUTS = exhaustive(DOMAIN, 4, 0)
ONE = np.ones(1)
STUDENT = 3
TRUTH = np.array([[number >> row & 1 for number in range(16)] for row in range(4)], dtype=float)


def trained(hidden: int, answers: np.ndarray) -> torch.nn.Sequential:
    """A 2-hidden-16 tanh network that learns the answers (4, 16)."""
    torch.manual_seed(0)
    first, last = torch.nn.Linear(2, hidden), torch.nn.Linear(hidden, answers.shape[1])
    network = torch.nn.Sequential(first, torch.nn.Tanh(), last).double()
    x, y = torch.from_numpy(INPUTS), torch.from_numpy(answers)
    adam = torch.optim.Adam(network.parameters(), lr=0.05)
    for _ in range(1500):
        adam.zero_grad()
        ((network(x) - y) ** 2).mean().backward()
        adam.step()
    return network


def as_chain(network: torch.nn.Sequential) -> Chain:
    """The network's own arithmetic."""
    first, last = (m for m in network if isinstance(m, torch.nn.Linear))
    affine = [Affine(m.weight.detach().numpy(), m.bias.detach().numpy()) for m in (first, last)]
    return Chain(2, (affine[0], Apply("tanh", first.out_features), affine[1]))


def source(code: ChainCode) -> str:
    """The text of a chain's C, for a chip that reads its arrays like any memory."""
    reads = "".join(f"#define {code.name.upper()}_{read}(p) (*(p))\n" for read in code.reads)
    arrays = "".join(a.declaration + " = {\n" + "\n".join(a.rows) + "\n};\n" for a in code.arrays)
    headers = "".join(f"#include <{header}>\n" for header in code.headers)
    call = f"void {code.name}(const float *x, float *y)\n{{\n    {code.function}(x, y);\n}}\n"
    return f"{headers}{reads}{arrays}{code.functions}{call}"


def compiled(chain: Chain, name: str) -> tuple[np.ndarray, int]:
    """What the C answers at every input (4, k), and its bytes of code and data on this machine."""
    code = chain_code(chain, name, "float32")
    (OUT / f"{name}.c").write_text(source(code))
    compiler, folder = host_compilers()[0], OUT.resolve()
    flags = ["-std=c99", "-Os", "-fPIC", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off"]
    for step in ([*flags, "-c", f"{name}.c"], ["-shared", f"{name}.o", "-lm", "-o", f"{name}.so"]):
        done = compiler.run(step, folder)
        if done.status != 0:
            raise SystemExit(done.complaint)
    function = getattr(ctypes.CDLL(str(folder / f"{name}.so")), name)
    answers = np.empty((len(INPUTS), chain.outputs), dtype=np.float32)
    for row, x in enumerate(INPUTS.astype(np.float32)):
        function(x.ctypes.data_as(ctypes.c_void_p), answers[row].ctypes.data_as(ctypes.c_void_p))
    with (folder / f"{name}.o").open("rb") as stream:
        wanted = (".text", ".rodata")
        sections = [s for s in ELFFile(stream).iter_sections() if s.name.startswith(wanted)]
        size = sum(section.data_size for section in sections)
    return answers.astype(float), size


def figure(chains: dict[str, Chain], sizes: dict[str, int]) -> None:
    """How the written-out network grows, and what each form takes as C."""
    _, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
    for hidden in (2, 4, 8, 16, 32):
        nodes = [max(step) for step in growth(deep(hidden))]
        left.semilogy(range(1, len(nodes) + 1), nodes, marker="o", label=f"{hidden} wide")
    left.set(xlabel="step of a tanh network of three hidden layers", ylabel="nodes of one formula")
    left.legend()
    right.barh(list(chains), [sizes[name] for name in chains])
    right.set(xlabel="bytes of code and data")
    plt.tight_layout()
    plt.savefig(OUT / "equations.png", dpi=120)


def deep(hidden: int) -> Chain:
    """A tanh network of three hidden layers, to be written out in thought only."""
    wide = Affine(np.ones((hidden, hidden)), np.ones(hidden))
    first, last = Affine(np.ones((hidden, 2)), np.ones(hidden)), Affine(np.ones((1, hidden)), ONE)
    tanh = Apply("tanh", hidden)
    return Chain(2, (first, tanh, wide, tanh, wide, tanh, last))


def main() -> None:
    """Train, ask everywhere, minimise, compile, compare."""
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    network = as_chain(trained(16, TRUTH))
    asked = network.evaluate(INPUTS)
    learned = (asked > 0.5).astype(float)
    print(f"the network is right on {int((learned == TRUTH).all(axis=0).sum())} of 16 functions")

    for number, column in enumerate(learned.T):
        minimal = minimise(column == 1)
        formula = boolean_candidates(INPUTS, column, DOMAIN)[0]
        right = (minimal.truth() == column).all() and (formula(INPUTS) == column).all()
        if not (right and minimal.proven):
            raise SystemExit(f"function {number} is not what the network answers.")
        print(f"  f{number:<2} = {equation(minimal, DOMAIN.names):18} = {formula.readable()}")
    print("each equals the network's answer on all 4 inputs; none has a sum of fewer products")

    *logic, table = logic_steps(learned, DOMAIN)
    chains = {
        "logic": Chain(2, tuple(logic)),
        "table": Chain(2, (table,)),
        "network": network,
        "student": as_chain(trained(STUDENT, asked)),
    }
    sizes = {}
    print(f"{'form':8} {'step':8} {'numbers':>8} {'operations':>10} {'bytes':>6} {'agrees':>7}")
    for name, chain in chains.items():
        answers, sizes[name] = compiled(chain, f"all_{name}")
        agrees = ((answers > 0.5) == learned).mean()
        kind = type(chain.steps[0]).__name__
        numbers, calls = (sum(getattr(s, w) for s in chain.steps) for w in ("stored", "operations"))
        print(f"{name:8} {kind:8} {numbers:8} {calls:10} {sizes[name]:6} {agrees:7.1%}")

    print("(the C library's tanh is not counted)")

    print("nodes of one output, all weights written out, after each step:")
    for hidden in (16, 32):
        print(f"  three hidden layers of {hidden}: {[max(step) for step in growth(deep(hidden))]}")
    print(f"  this network: {[max(step) for step in growth(network)]}")
    figure(chains, sizes)
    print(f"wrote {OUT}/*.c and {OUT / 'equations.png'}")


if __name__ == "__main__":
    main()
