"""Whether `make prove` runs, which tries more than there is time for in `make test`."""

from __future__ import annotations

import os

PROVING = os.environ.get("HYPOTHESIS_PROFILE") == "prove"
