"""The siege: files, messages and faults by the hundred thousand, each judged.

`python -m tests.siege --minutes 3 --seed 0`: a target is a kind of file (`kinds/`), whose inputs
are mutated by structure (`mutations/`) and read by what the commands call, or a work (`works.py`),
whose system calls fail or after which its process is killed. An input is a function of its target,
a seed and a number, so that `--only TARGET --input NUMBER` brings one about again.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # processes are forked, and none has threads then
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
