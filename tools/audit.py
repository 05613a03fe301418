"""Ask the databases of vulnerabilities about every locked package.

    python tools/audit.py                    # PyPI's advisories
    python tools/audit.py --service osv      # those of osv.dev

Ends with status 1 where a package has a known vulnerability, and with 3 where one could not be
asked about: pip-audit alone calls an audit in which it reached nobody a success.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "locks/torch.txt", "locks/pysr-1.5.txt", "locks/bench.txt")
VULNERABLE, NOT_ASKED = 1, 3


@dataclass(frozen=True)
class Audit:
    """How many packages were asked about, lines on vulnerable ones, and reasons by package."""

    asked: int
    vulnerable: tuple[str, ...]
    skipped: dict[str, str]

    @property
    def status(self) -> int:
        """What the command ends with."""
        if self.vulnerable:
            return VULNERABLE
        return NOT_ASKED if self.skipped or not self.asked else 0

    def text(self) -> str:
        """What a person reads."""
        lines = [f"{self.asked} packages asked about, {len(self.vulnerable)} known vulnerabilities"]
        lines += self.vulnerable
        if self.skipped:
            reason = next(iter(self.skipped.values()))
            lines += [
                f"{len(self.skipped)} could not be asked about, so this is no clean audit.",
                f"  the first: {reason}",
                "  next:      run it where pypi.org answers, or give --service osv.",
            ]
        return "\n".join(lines)


def read(reports: Iterable[str]) -> Audit:
    """Read pip-audit's reports in JSON."""
    packages = [package for report in reports for package in json.loads(report)["dependencies"]]
    found = [package for package in packages if "vulns" in package]
    lines = [
        f"{package['name']} {package['version']}: {hole['id']}, mended in "
        f"{', '.join(hole['fix_versions']) or 'no version yet'}"
        for package in found
        for hole in package["vulns"]
    ]
    skipped = {p["name"]: p["skip_reason"] for p in packages if "skip_reason" in p}
    return Audit(len(found), tuple(lines), skipped)


def report(lock: str, service: str) -> str:
    """What pip-audit says of a lock, as JSON; ends the program where it cannot say anything."""
    words = ["--disable-pip", "--require-hashes", "--format=json", "--progress-spinner=off"]
    command = [sys.executable, "-m", "pip_audit", "-s", service, *words, "-r", str(ROOT / lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        reason = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
        next_step = "run it where the service can be reached, or ask the other one: --service."
        print(f"{lock} could not be audited.\n  why:  {reason}\n  next: {next_step}")
        sys.exit(NOT_ASKED)
    return done.stdout


def main() -> int:
    """Audit the locks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--service", choices=["pypi", "osv"], default="pypi")
    given = parser.parse_args()
    audit = read([report(lock, given.service) for lock in LOCKS])
    print(audit.text())
    return audit.status


if __name__ == "__main__":
    sys.exit(main())
