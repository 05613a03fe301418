"""The front door: finds the command, runs it, and turns every error into text and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from distill.cli.bug import report_bug
from distill.cli.command import print_error, print_text, unknown
from distill.cli.table import COMMANDS
from distill.errors import BUG, INTERRUPTED, DistillError
from distill.interrupts import listening, no_more, not_lost

HELP = """\
distill: from a trained model that is too large for the chip to a formula that is not.

usage: distill COMMAND [KEY=VALUE ...]

commands
{commands}

start here
  distill run                                    distill the shipped teacher for a PIC32
  distill run teacher=torch teacher.source=net.safetensors tolerance=0.5
  distill run teacher=function teacher.source=mymodel:predict domain=box \\
      '+domain.variables.speed={{low: 0, high: 120, unit: km/h}}'
  distill run -m engine=operon,polynomial sampling.points=256,1024
  distill sample teacher=simulator teacher.source=plant:run sampling.jobs=16 hydra/launcher=slurm
  distill ui                                     compare the candidates in MLflow
  distill export run=RUN_ID target=host          the C of the candidate you chose there

Every key has a comment in conf/ and every stage keeps its result: a repeated command reuses what
did not change, an interrupted one goes on where it was.

for scripts: run, sample, export and sync take --quiet (one line) and --json (docs/json-lines.md)

exit codes: 0 done; 2 your input; 3 this machine (disk, compiler, MLflow); 70 our bug; 130 Ctrl-C
"""


def program(arguments: Sequence[str] | None = None) -> NoReturn:
    """Be the program: run one command, and leave with its exit code."""
    code = main(arguments)
    no_more()
    sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; errors become text, never tracebacks."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        lines = [f"  {name:<8} {command.summary}" for name, command in COMMANDS.items()]
        print_text(HELP.format(commands="\n".join(lines)))
        return 0
    if arguments[0] == "--version":
        from distill import __version__

        print_text(f"distill {__version__}\n")
        return 0
    command = COMMANDS.get(arguments[0])
    if command is None:
        return _tell(unknown("command", arguments[0], list(COMMANDS)))
    rest = arguments[1:]
    if rest and rest[0] in {"-h", "--help"} and arguments[0] != "run":
        print_text(f"usage: distill {command.usage}\n\n{command.summary}\n")
        return 0
    try:
        with listening(), not_lost():
            return command.run(rest)
    except DistillError as error:
        return _tell(error)
    except KeyboardInterrupt:
        print_error("\nstopped. Nothing is lost: the same command goes on from here.")
        return INTERRUPTED
    except BrokenPipeError:
        return 0
    except Exception:
        report_bug()
        return BUG


def _tell(error: DistillError) -> int:
    print_error(f"distill: {error}")
    return error.exit_code
