"""A surrogate: predicts how well a candidate will do from what its Cells chose.

A Cell is the sum of the embeddings of its choices; a recurrent network reads the Cells one after
the other, so that a candidate of fewer Cells is the beginning of a longer one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ....compiler.network.choices import Choices
from ....compiler.network.network import Network

WIDTH = 32
STEPS, RATE = 150, 0.01
Token = tuple[str, int, int, str]
"""What is chosen: an input or an operation, in which Step and slot, and its name."""


def tokens(network: Network, choices: Choices, index: int) -> Iterator[Token]:
    """What a Cell chose, under names that Cells share; its inputs have no order.

    The last Cell has what the output combines beside its own.
    """
    own, cell = network.cells[index], choices.cells[index]
    if index == len(choices.cells) - 1 and any(slot.open for slot in network.outputs):
        for name in choices.outputs:
            yield ("output", 0, 0, name)
    for name in cell.inputs:
        yield ("cell", 0, 0, name)
    for number, (step, chosen) in enumerate(zip(own.steps, cell.steps, strict=True)):
        yield ("operation", number, chosen.operation, step.operations[chosen.operation].label)
        for slot, name in enumerate(chosen.inputs):
            yield ("step", number, slot, name)


def predicted(
    network: Network,
    known: Mapping[Choices, float],
    asked: Sequence[Choices],
    seed: int,
) -> NDArray[np.float64]:
    """The scores of candidates, standardised as those that are known.

    The surrogate is trained from the beginning on everything that is known; candidates whose loss
    is no finite number say nothing.
    """
    known = {choices: score for choices, score in known.items() if isfinite(score)}
    if not known:
        return np.zeros(len(asked))
    scores = torch.tensor(list(known.values()), dtype=torch.float32)
    spread = float(scores.std(correction=0))
    scores = (scores - scores.mean()) / (spread or 1.0)
    everything = [*known, *asked]
    words = dict.fromkeys(
        t for c in everything for i in range(len(c.cells)) for t in tokens(network, c, i)
    )
    places = {token: place for place, token in enumerate(words)}

    def read(candidates: Sequence[Choices]) -> Tensor:
        """(candidates, Cells, words): which words a Cell has, none beyond the last."""
        longest = max(len(c.cells) for c in candidates)
        found = torch.zeros(len(candidates), longest, len(places))
        for row, candidate in enumerate(candidates):
            for index in range(len(candidate.cells)):
                for token in tokens(network, candidate, index):
                    found[row, index, places[token]] = 1
        return found

    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = _Surrogate(len(places))
        given, lengths = read(list(known)), torch.tensor([len(c.cells) for c in known])
        optimiser = torch.optim.Adam(model.parameters(), RATE, weight_decay=1e-4)
        for _ in range(STEPS):
            loss = (model(given, lengths) - scores).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    with torch.no_grad():
        found = model(read(asked), torch.tensor([len(c.cells) for c in asked]))
    return np.asarray(found.numpy(), np.float64)


class _Surrogate(nn.Module):
    """Embeddings, a recurrent layer over Cells, and a linear one to the score."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.embed = nn.Linear(words, WIDTH)
        self.read = nn.LSTM(WIDTH, WIDTH, batch_first=True)
        self.score = nn.Linear(WIDTH, 1)

    def forward(self, cells: Tensor, lengths: Tensor) -> Tensor:
        """(candidates, Cells, words) to (candidates,), read off at the last Cell of each."""
        states, _ = self.read(self.embed(cells))
        last = states[torch.arange(len(states)), lengths - 1]
        scores: Tensor = self.score(last).squeeze(-1)
        return scores
