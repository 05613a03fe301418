"""What stands around the steps: buffers, names, sizes, refusals, golden text."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches
from distill.chain.steps.elementwise import Apply
from distill.chain.steps.prototypes import Distances, Nearest
from distill.chain.steps.winner import Winner
from distill.errors import ExportError
from distill.firmware.chains.buffers import place
from distill.firmware.chains.code import ChainCode, chain_code

GOLDEN = Path(__file__).parent / "golden"


def affine(k: int, d: int) -> Affine:
    return Affine(np.arange(k * d).reshape(k, d) / 8 - 1, np.arange(k) / 4)


def text(code: ChainCode) -> str:
    """All of a code, for people to look at in a diff."""
    arrays = [
        f"/* {a.note} */\n{a.declaration} = {{\n" + "".join(f"    {r}\n" for r in a.rows) + "};\n"
        for a in code.arrays
    ]
    head = (
        f"/* exact: {code.exact}, headers: {', '.join(code.headers)}, "
        f"{code.stored_bytes} bytes stored, {code.stack_bytes} on the stack */\n"
    )
    return "\n".join([head, *arrays, code.functions])


@pytest.mark.parametrize("form", ["conditions", "table"])
def test_a_small_forest(form: str, examples: ModuleType, golden) -> None:
    chain = Chain(4, (examples.random_trees(4, 2, 2, 1, seed=4),))
    golden(GOLDEN / f"forest_{form}.c", text(chain_code(chain, "forest", "float32", form=form)))


def test_a_small_network(golden) -> None:
    steps = (affine(3, 2), Apply("tanh", 3), affine(2, 3), Winner(2))
    golden(GOLDEN / "network.c", text(chain_code(Chain(2, steps), "network", "float32")))


def test_k_means(golden) -> None:
    centres = np.array([[0.0, 0.5], [2.0, -1.25], [0.1, 3.0]])
    steps = (Distances(centres), Winner(3, largest=False))
    golden(GOLDEN / "k_means.c", text(chain_code(Chain(2, steps), "k_means", "double")))


def test_equal_chains_give_equal_bytes(examples: ModuleType) -> None:
    for first, second in zip(
        examples.exact_chains().values(), examples.exact_chains().values(), strict=True
    ):
        assert chain_code(first, "f", "float32") == chain_code(second, "f", "float32")


def test_two_buffers_in_turn_hold_the_widest() -> None:
    places, lengths = place([(False, 8), (True, 8), (False, 5), (True, 5), (False, 9), (False, 2)])
    assert places == ["a", "a", "b", "b", "a", "y"]
    assert lengths == {"a": 9, "b": 5}
    assert place([(True, 4)]) == (["y"], {})
    assert place([(True, 4), (True, 4)]) == (["a", "y"], {"a": 4})


def test_the_stack_is_that_of_the_deepest_branch() -> None:
    deep = Chain(4, (affine(6, 4), Apply("relu", 6), affine(2, 6)))
    near = Nearest(np.arange(12).reshape(3, 4) / 4, np.eye(3), 2)
    chain = Chain(4, (affine(4, 4), Branches((deep, Chain(4, (near,)))), affine(1, 5)))
    sizes = {a: chain_code(chain, "f", a).stack_bytes for a in ("float32", "double")}
    # Four and five numbers between the steps; six more in the deep branch, 2 x (8 or 12) beside.
    assert sizes == {"float32": 4 * (4 + 5 + 6), "double": 8 * (4 + 5 + 6)}


def test_steps_alike_share_their_function_and_arrays() -> None:
    twice = affine(4, 4)
    chain = Chain(4, (twice, Apply("relu", 4), affine(4, 4), Apply("relu", 4), affine(2, 4)))
    code = chain_code(chain, "f", "float32")
    assert code.functions.count("static void f_affine(") == 1
    assert code.functions.count("static void f_relu(") == 1
    assert [array.name for array in code.arrays] == [
        "f_weights1",
        "f_bias1",
        "f_weights2",
        "f_bias2",
    ]
    assert code.stored_bytes == 4 * (16 + 4 + 8 + 2)
    assert code.reads == ("READF",)


def test_a_step_without_a_printer_is_named() -> None:
    class Strange:
        inputs = outputs = 2

    with pytest.raises(ExportError) as caught:
        chain_code(Chain(2, (Strange(),)), "f", "float32")
    assert "`Strange` have no C" in caught.value.what
    assert "export a formula" in caught.value.hint


@pytest.mark.parametrize("name", ["2f", "sin", "a b", ""])
def test_names_that_c_cannot_have_are_refused(name: str) -> None:
    with pytest.raises(ExportError):
        chain_code(Chain(2, (affine(1, 2),)), name, "float32")


def test_constants_too_large_for_float32_are_refused() -> None:
    chain = Chain(1, (Affine(np.array([[1e39]]), np.zeros(1)),))
    with pytest.raises(ExportError, match=r"1e\+39 cannot be held in float32"):
        chain_code(chain, "f", "float32")
    assert "1e+39" in chain_code(chain, "f", "double").arrays[0].rows[0]


def test_weights_too_small_for_float32_become_zero() -> None:
    chain = Chain(1, (Affine(np.array([[1e-60]]), np.zeros(1)),))
    assert chain_code(chain, "f", "float32").arrays[0].rows == ("0.0f,",)
