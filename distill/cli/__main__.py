"""``python -m distill.cli``."""

import sys

from distill.cli.front import main

sys.exit(main())
