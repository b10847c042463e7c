"""A step of a population on CUDA, rehearsed with fake tensors: nothing waits for the device.

It needs a build of torch with CUDA and no GPU. A fake tensor has a device and a shape and no
numbers, so that whatever reads one on the host raises.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from fusewright.compiler.check.check import checked
from fusewright.compiler.targets.torch.module import FusionModule
from fusewright.runtime.data.batches import Batch
from fusewright.runtime.genotypes.sample import random_genotype
from fusewright.runtime.settings import Settings
from fusewright.runtime.training.objective import Objective
from fusewright.runtime.training.population import Population, PopulationOptimiser, member_program

from ...support.running import spec

BATCH, MEMBERS = 16, 5
CUDA = torch.device("cuda:0")


def move_to_fake_cuda(module: FusionModule) -> None:
    """Puts fake tensors in the places of parameters and statistics; `to` cannot."""
    for held, name in module._places:  # pyright: ignore[reportPrivateUsage]
        fake = torch.empty(held[name].shape, device=CUDA)
        held[name] = nn.Parameter(fake) if isinstance(held[name], nn.Parameter) else fake


pytestmark = pytest.mark.skipif(torch.version.cuda is None, reason="torch is built without CUDA")


@pytest.mark.parametrize("penalties", [(0.0,) * MEMBERS, (0.0, 0.1, 0.2, 0.3, 0.4)], ids=str)
def test_steps_on_cuda_wait_for_nothing(penalties: tuple[float, ...]) -> None:
    """Draws, forward, loss and Adam, with settings of all and of each.

    Backward is rehearsed on `meta` in `test_population.py`: torch's engine asks for a context of
    the device, which is not there.
    """
    space = checked(spec())
    networks = [checked(random_genotype(space, seed)) for seed in range(MEMBERS)]
    programs = [member_program(network).program for network in networks]
    each = [Settings(device=str(CUDA), weight_decay=penalty) for penalty in penalties]
    population = Population(programs, each, torch.device("cpu"))
    with FakeTensorMode(allow_non_fake_inputs=True):
        move_to_fake_cuda(population.module)
        optimiser = PopulationOptimiser(population, 10, range(MEMBERS))
        features = {
            item.name: torch.zeros(BATCH, *item.type.sizes, device=CUDA)
            for item in population.module.program.inputs
            if item.kind != "keys"
        }
        labels = torch.zeros(BATCH, dtype=torch.int64, device=CUDA)
        population.module.train()
        total = torch.zeros((), device=CUDA)
        with optimiser.stepping():
            for _ in range(2):
                loss = optimiser.loss(Objective(space.head), Batch(features, labels))
                for parameter in optimiser.parameters:
                    parameter.grad = torch.empty_like(parameter)
                assert optimiser.adam is not None
                optimiser.move(optimiser.adam)
                optimiser.steps += 1
                total = total + loss.detach() * BATCH
        assert total.shape == (MEMBERS,)
        assert total.device == CUDA
        assert all(p.device == CUDA for p in population.module.parameters())
        with pytest.raises(DataDependentOutputException):
            total[0].item()
