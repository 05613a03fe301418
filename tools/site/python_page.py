"""The page of everything that `import distill` offers; mkdocstrings fills in the docstrings."""

from __future__ import annotations

import distill

HEAD = """# Python

What `import distill` offers; everything else may change between versions. Each name is imported
when it is first used.
"""


def python_page() -> str:
    """The page, as Markdown with a directive for each public name."""
    return "\n".join([HEAD, *(f"::: {place}\n" for place in public_names())])


def public_names() -> list[str]:
    """Where each public name is defined."""
    named = [name for name in distill.__all__ if not name.startswith("_")]
    return [f"{getattr(distill, name).__module__}.{name}" for name in named]
