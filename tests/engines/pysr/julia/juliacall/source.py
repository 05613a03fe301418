"""Julia source, evaluated as far as PySR hands text to Julia; anything else raises."""

from __future__ import annotations

import tree_sitter_julia
from tree_sitter import Language, Node, Parser

from juliacall.expressions import OPERATORS
from juliacall.templates import Template
from juliacall.values import Function, JuliaError, Struct

PARSER = Parser(Language(tree_sitter_julia.language()))

PACKAGES = {
    "Bumper",
    "ClusterManagers",
    "Distributed",
    "LoopVectorization",
    "Mooncake",
    "Pkg",
    "PythonCall",
    "Serialization",
    "SlurmClusterManager",
    "SymbolicRegression",
    "Zygote",
}

# What PySR evaluates to call it from Python.
CALLED = {"op -> op isa Function": lambda value: isinstance(value, Function)}


class Bindings(dict[str, object]):
    """The names of Main. Functions that were defined are in `defined`, in order."""

    def __init__(self) -> None:
        super().__init__(nothing=None, devnull=Struct("DevNull"), stdin=Struct("TTY"))
        self.update({name: Function(name, (arity,)) for name, (arity, _) in OPERATORS.items()})
        self["atan"] = Function("atan", (1, 2))
        self["-"] = Function("-", (1, 2))
        self.defined: list[str] = []

    def evaluate(self, source: str) -> object:
        """Return the value of the last statement of `source`."""
        if source.strip() in CALLED:
            return CALLED[source.strip()]
        root = PARSER.parse(source.encode()).root_node
        if root.has_error:
            raise JuliaError(f"ParseError in\n{source}")
        value = None
        for statement in root.named_children:
            value = self._value(statement)
        return value

    def _value(self, node: Node) -> object:
        match node.type:
            case "line_comment" | "block_comment":
                return None
            case "using_statement":
                return self._use(node)
            case "identifier" | "operator":
                if _text(node) not in self:
                    raise JuliaError(f"UndefVarError: `{_text(node)}` not defined in `Main`")
                return self[_text(node)]
            case "integer_literal":
                return int(_text(node))
            case "float_literal":
                return float(_text(node).replace("f", "e"))
            case "unary_expression" if _text(node.named_children[0]) == "-":
                return -self._value(node.named_children[1])  # type: ignore[operator]
            case "parenthesized_expression":
                return self._value(node.named_children[0])
            case "compound_statement":
                return [self._value(child) for child in node.named_children][-1]
            case "call_expression":
                return self._call(node)
            case "assignment" | "function_definition":
                return self._define(node)
            case "arrow_function_expression":
                arguments = node.named_children[0]
                some = arguments.named_children if arguments.type != "identifier" else [arguments]
                return _function("#anonymous", some, _text(node), _text(node.named_children[-1]))
            case "macrocall_expression" if _text(node).startswith("@template_spec"):
                return _template(node)
        raise JuliaError(f"the stand-in does not know `{_text(node)}`")

    def _use(self, node: Node) -> None:
        (used,) = node.named_children
        package, *names = used.named_children or [used]
        if _text(package) not in PACKAGES:
            raise JuliaError(f"ArgumentError: Package {_text(package)} not found")
        for name in map(_text, names):
            self.setdefault(name, Function(name, (1,), takes_more=True))

    def _call(self, node: Node) -> object:
        callee, arguments = node.named_children[:2]
        name = _text(callee)
        if name == "Dict":
            pairs = [pair.named_children for pair in arguments.named_children]
            return {self._value(key): self._value(value) for key, _, value in pairs}
        if name == "Base.active_project":
            return ""
        if name.endswith("Loss"):
            return Struct(name, *map(self._value, arguments.named_children))
        raise JuliaError(f"the stand-in does not call `{name}`")

    def _define(self, node: Node) -> Function:
        signature = node.named_children[0]
        while signature.type in ("signature", "where_expression", "typed_expression"):
            signature = signature.named_children[0]
        if signature.type != "call_expression":
            raise JuliaError(f"the stand-in defines functions, not `{_text(node)}`")
        name, arguments = signature.named_children[:2]
        body = _text(node.named_children[-1]) if node.type == "assignment" else ""
        function = _function(_text(name), arguments.named_children, _text(node), body)
        self[function.name] = function
        self.defined.append(function.source)
        return function


def _function(name: str, arguments: list[Node], source: str, body: str = "") -> Function:
    given = [argument for argument in arguments if argument.type != "splat_expression"]
    needed = sum(argument.type != "named_argument" for argument in given)
    return Function(
        name,
        arities=tuple(range(needed, len(given) + 1)),
        source=source,
        takes_more=len(given) < len(arguments),
        parameters=tuple(_text(argument).partition("::")[0] for argument in given),
        body=body,
    )


def _template(node: Node) -> Template:
    _, keywords, block = node.named_children
    fields = {_text(child.named_children[0]): child for child in keywords.named_children}
    if not {"expressions"} <= set(fields) <= {"expressions", "parameters"}:
        raise JuliaError(f"unrecognized keyword in `{_text(keywords)}`")
    expressions = fields["expressions"].named_children[-1].named_children
    pairs = fields["parameters"].named_children[-1].named_children if len(fields) > 1 else []
    parameters = {_text(p.named_children[0]): int(_text(p.named_children[1])) for p in pairs}
    variables, *body = block.named_children
    if len(body) != 1:
        raise JuliaError("the stand-in combines parts in one expression")
    names = [_text(name) for name in variables.named_children]
    return Template([_text(name) for name in expressions], parameters, names, _text(body[0]))


def _text(node: Node) -> str:
    return (node.text or b"").decode()
