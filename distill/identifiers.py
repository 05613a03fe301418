"""The one place where names and units from outside are let in: as C identifiers, as one line."""

from __future__ import annotations

import keyword
import re
import unicodedata

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


_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def visible(text: str) -> str:
    r"""Text in which nothing controls the terminal, the log or the page that it is shown in.

    Lines and tabs stay; every other control, direction or half character is spelled out.

    >>> print(visible("red: \x1b[31m"))
    red: <U+001B>[31m
    """
    if text.isprintable():
        return text
    return "".join(
        f"<U+{ord(c):04X}>" if c not in "\n\t" and unicodedata.category(c) in _CONTROLS else c
        for c in text
    )


def why_not_a_line(text: str) -> str | None:
    """Why ``text`` cannot be shown as it is on a terminal, in a C comment, a page; None if it can.

    Control characters move a terminal's cursor, end lines and turn the direction of writing.
    """
    for character in text:
        if unicodedata.category(character) in _CONTROLS:
            return f"it holds the control character {character!a}"
    return None


def why_not_file_name(name: str) -> str | None:
    """Why ``name`` cannot name a file or folder of ours, or None when it can."""
    if why := why_not_a_line(name):
        return why
    if not name or name in {".", ".."} or "/" in name or "\\" in name:
        return "it would lead to another folder"
    return "it is too long" if len(name.encode()) > 100 else None
