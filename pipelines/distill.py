"""The main pipeline, to be read and run: what ``distill run`` does, stage by stage.

    python pipelines/distill.py target=host tolerance=0.2

Overrides are those of ``distill run``. Each line below is one stage; a repeated run reuses what did
not change.
"""

from __future__ import annotations

import sys
