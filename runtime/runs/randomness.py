"""Where the random numbers of a run are, so that it goes on with the next ones."""

from __future__ import annotations

import torch

from .checkpoint import State
from .saved import Saved


def random_state(device: torch.device, generator: torch.Generator) -> State:
    """The state of every random number generator of a run."""
    state = {"torch": torch.get_rng_state(), "order": generator.get_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def read_random_state(saved: Saved, device: torch.device, generator: torch.Generator) -> State:
    """Such a state in a checkpoint; raises DiagnosticError where it is none."""
    known = random_state(device, generator)
    found = saved.fields(list(known))
    return {name: found[name].generator(state) for name, state in known.items()}


def restore_random_state(state: State, device: torch.device, generator: torch.Generator) -> None:
    """Goes on with the random numbers of a state."""
    torch.set_rng_state(state["torch"])
    generator.set_state(state["order"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
