"""Compilers behind one interface: run them, find the host's, build for a target."""

from distill.firmware.toolchains.base import Toolchain, toolchain_for
from distill.firmware.toolchains.host import HostCompiler, host_compilers
from distill.firmware.toolchains.process import Finished, ToolMissing, ToolTimeout, run_tool

__all__ = [
    "Finished",
    "HostCompiler",
    "ToolMissing",
    "ToolTimeout",
    "Toolchain",
    "host_compilers",
    "run_tool",
    "toolchain_for",
]
