"""The one place where a name from outside becomes a C identifier."""

from __future__ import annotations

import keyword
import re

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}\Z")

# C11 6.4.1 and C++17 [lex.key]: the header is read by both languages.
_KEYWORDS = frozenset(
    [
        "auto",
        "break",
        "case",
        "char",
        "const",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "float",
        "for",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "typedef",
        "union",
        "unsigned",
        "void",
        "volatile",
        "while",
        "alignas",
        "alignof",
        "and",
        "and_eq",
        "asm",
        "atomic",
        "bitand",
        "bitor",
        "bool",
        "catch",
        "char16_t",
        "char32_t",
        "class",
        "compl",
        "const_cast",
        "constexpr",
        "decltype",
        "delete",
        "dynamic_cast",
        "explicit",
        "export",
        "false",
        "friend",
        "mutable",
        "namespace",
        "new",
        "noexcept",
        "not",
        "not_eq",
        "nullptr",
        "operator",
        "or",
        "or_eq",
        "private",
        "protected",
        "public",
        "reinterpret_cast",
        "static_assert",
        "static_cast",
        "template",
        "this",
        "thread_local",
        "throw",
        "true",
        "try",
        "typeid",
        "typename",
        "using",
        "virtual",
        "wchar_t",
        "xor",
        "xor_eq",
        "main",
        "NULL",
        "NAN",
        "INFINITY",
    ]
)


def why_not_identifier(name: str) -> str | None:
    """Why ``name`` cannot stand in C, C++ and Python alike, or None when it can."""
    if not (isinstance(name, str) and _IDENTIFIER.match(name)):
        return (
            "a name starts with an ASCII letter and holds only letters, digits and underscores, "
            "63 characters at most"
        )
    if name in _KEYWORDS:
        return f"`{name}` is a word of the C or C++ language"
    if keyword.iskeyword(name):
        return f"`{name}` is a word of the Python language"
    return None
