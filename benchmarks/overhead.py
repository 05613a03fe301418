"""What all but the search costs: seconds and peak memory of each part, and how they grow.

    python benchmarks/overhead.py            # the split for 100 candidates on 100,000 points
    python benchmarks/overhead.py --growth   # with points, candidates and inputs, one at a time

Each case runs in a process of its own, so that its peak memory is its own. Times depend on the
machine; the growth columns are ratios within one run.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
