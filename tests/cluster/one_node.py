"""A Slurm of one node, from Debian's packages, in a folder of its own and without cgroups."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
COMMANDS = ("sbatch", "squeue", "scancel", "scontrol", "srun")
PACKAGES = "slurmctld slurmd slurm-client munge"
UP_SECONDS = 120

CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,batch_sched_delay=0
ReturnToService=2
MaxArraySize={largest_array}
KillWait=20
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=64000
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE
"""


@dataclass(frozen=True)
class Cluster:
    """A running cluster; ``environment`` is what programs need to find it."""

    environment: dict[str, str]

    def ask(self, *command: str) -> str:
        """What one of Slurm's commands prints."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True, timeout=30
        ).stdout

    def until(self, happened: Callable[[], object], seconds: float = 180) -> None:
        """Wait for something; fail after so many seconds, saying what the queue holds."""
        end = time.monotonic() + seconds
        while not happened():
            if time.monotonic() > end:
                raise TimeoutError(f"not within {seconds} s:\n{self.ask('squeue', '--states=all')}")
            time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def found(program: str) -> str | None:
    """Where a program is; daemons are not in everybody's path."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@contextmanager
def daemon(folder: Path, *command: str) -> Iterator[None]:
    """A program that ends with the block; what it says goes to a file."""
    with (folder / f"{command[0]}.log").open("w") as log:
        process = subprocess.Popen(
            [found(command[0]), *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "SLURM_CONF": str(folder / "slurm.conf")},
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def logs_of(folder: Path) -> str:
    return "\n".join(f"{log.name}:\n{log.read_text()[-2000:]}" for log in folder.glob("*.log"))


def write_config(folder: Path, largest_array: int, cpus: int) -> None:
    values = {
        "user": pwd.getpwuid(os.geteuid()).pw_name,
        "host": socket.gethostname().partition(".")[0],
        "folder": folder,
        "controller_port": free_port(),
        "node_port": free_port(),
        "largest_array": largest_array,
        "cpus": cpus,
    }
    (folder / "slurm.conf").write_text(CONFIG.format(**values))
    version = subprocess.run([found("slurmctld"), "-V"], capture_output=True, text=True, check=True)
    year = re.search(r"(\d+)\.\d+", version.stdout)
    if year and int(year.group(1)) >= 24:
        # Older ones find out for themselves that there are none.
        (folder / "cgroup.conf").write_text("CgroupPlugin=disabled\n")
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir(mode=0o755)
    key = folder / "munge" / "key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)


def missing() -> str:
    """What is not installed; empty where all is."""
    absent = [program for program in (*DAEMONS, *COMMANDS) if found(program) is None]
    return f"needs {absent[0]}: apt-get install {PACKAGES}" if absent else ""


def _idle(cluster: Cluster) -> bool:
    answer = subprocess.run(
        ["sinfo", "--noheader", "--format=%T"],
        env=cluster.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip() == "idle"


@contextmanager
def one_node_slurm(largest_array: int = 1001, cpus: int = 4) -> Iterator[Cluster]:
    """A running cluster, gone when the block ends; its node need not have so many CPUs."""
    # Not below pytest's folders: the path of a socket has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="slurm") as name, ExitStack() as daemons:
        folder = Path(name)
        folder.chmod(0o755)
        write_config(folder, largest_array, cpus)
        cluster = Cluster({**os.environ, "SLURM_CONF": str(folder / "slurm.conf")})

        def start(*command: str, ready: Callable[[], bool]) -> None:
            daemons.enter_context(daemon(folder, *command))
            end = time.monotonic() + UP_SECONDS
            while not ready():
                if time.monotonic() > end:
                    raise TimeoutError(f"{command[0]} does not come up:\n{logs_of(folder)}")
                time.sleep(0.1)

        munge = [f"--{part}-file={folder}/munge/{part}" for part in ("key", "pid", "log", "seed")]
        socket_file = folder / "munge" / "socket"
        foreground = ("munged", "--foreground", "--force", f"--socket={socket_file}")
        start(*foreground, *munge, ready=socket_file.exists)
        start("slurmctld", "-D", ready=lambda: True)
        start("slurmd", "-D", ready=lambda: _idle(cluster))
        yield cluster
        cluster.ask("scancel", "--me")
