"""What of a linked program matters on a chip: its memory, and how much of it a function takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from distill.errors import ToolchainError
from distill.firmware.harness import SECTION

# Sections that a chip's image does not hold, or that belong to the harness: notes for loaders and
# debuggers, the offset table that static MIPS links reserve without using, and the room for a stack
# that a C library's linker script keeps.
_NOT_ON_THE_CHIP = (SECTION, ".MIPS.", ".reginfo", ".note", ".eh_frame", ".ARM.", ".got", ".stack")

_ALLOCATED, _WRITABLE = 2, 1


@dataclass(frozen=True, slots=True)
class Image:
    """A program's entry, its memory as (address, content, size), and its sizes in bytes.

    ``flash_bytes`` is code, constants and initial values; ``ram_bytes`` is static variables.
    Neither holds the harness, whose addresses are ``harness`` (first, behind the last).
    ``global_pointer`` is what RISC-V's linker lets code find small data by, or 0.
    """

    entry: int
    segments: tuple[tuple[int, bytes, int], ...]
    harness: tuple[int, int]
    flash_bytes: int
    ram_bytes: int
    global_pointer: int = 0


def read_image(path: Path) -> Image:
    """Read an ELF that was linked with a harness.

    Raises
    ------
    ToolchainError : when it is no ELF or has no harness.
    """
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    flash = ram = 0
    harness: tuple[int, int] | None = None
    with path.open("rb") as file:
        try:
            elf = ELFFile(file)
            segments = tuple(
                (s["p_vaddr"], s.data(), s["p_memsz"])
                for s in elf.iter_segments()
                if s["p_type"] == "PT_LOAD" and s["p_memsz"]
            )
            entry = elf["e_entry"]
            sections = list(elf.iter_sections())
            symbols = [s for s in sections if isinstance(s, SymbolTableSection)]
            named = symbols[0].get_symbol_by_name("__global_pointer$") if symbols else None
        except ELFError as error:
            raise ToolchainError(f"not a linked program: {error}.", where=path.name) from None
        for section in sections:
            start, size, flags = (section[key] for key in ("sh_addr", "sh_size", "sh_flags"))
            if section.name == SECTION:
                harness = (start, start + size)
            if not flags & _ALLOCATED or section.name.startswith(_NOT_ON_THE_CHIP):
                continue
            flash += 0 if section["sh_type"] == "SHT_NOBITS" else size
            ram += size if flags & _WRITABLE else 0
    if harness is None:
        raise ToolchainError("the program has no harness.", where=path.name)
    pointer = named[0]["st_value"] if named else 0
    return Image(entry, segments, harness, flash, ram, pointer)
