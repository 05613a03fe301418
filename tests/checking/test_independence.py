"""The checker shares nothing with what it checks."""

import subprocess
import sys


def test_nothing_of_the_prover_is_loaded():
    code = (
        "import sys; import distill.checking.command, distill.checking.check; "
        "prover = ('distill.bounds', 'distill.proving'); "
        "loaded = [m for m in sys.modules if m.startswith(prover)]; assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
