"""Compiled modules are torch modules: plain loops, Lightning and Trainer train them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

import fusewright as fw

from ...support.running import FIXED, problem, spec

NAMES = ("A", "B", "D")
RATE = 0.01


class Samples(Dataset[dict[str, Any]]):
    """The training samples of a problem, one by one."""

    def __init__(self) -> None:
        arrays = problem()
        self.chosen = np.flatnonzero(arrays["split"] == 0)
        self.arrays = {name: arrays[name] for name in (*NAMES, "labels")}

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, number: int) -> dict[str, Any]:
        return {name: array[self.chosen[number]] for name, array in self.arrays.items()}


def module_and_batches() -> tuple[Any, DataLoader[dict[str, Any]]]:
    torch.manual_seed(0)
    return fw.compile(spec(FIXED), "torch", seed=0), DataLoader(Samples(), 15, shuffle=True)


def loss_of(module: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
    logits = module({name: batch[name] for name in NAMES})
    return nn.functional.cross_entropy(logits, batch["labels"])


def require_trained(module: Any, tmp_path: Path) -> None:
    """That the weights are right on test samples, here and in a deployed file."""
    given: dict[str, Any] = {"weights": module.arrays()}
    assert fw.evaluate(spec(FIXED), problem(), **given)["accuracy"] > 0.9
    fw.deploy(spec(FIXED), tmp_path / "n.onnx", **given)
    outputs = fw.predict(tmp_path / "n.onnx", problem())
    assert (outputs.argmax(1) == problem()["labels"]).mean() > 0.9


def test_a_plain_loop(tmp_path: Path) -> None:
    module, batches = module_and_batches()
    optimiser = torch.optim.AdamW(module.parameters(), lr=RATE)
    for _ in range(30):
        for batch in batches:
            optimiser.zero_grad()
            loss: Any = loss_of(module, batch)
            loss.backward()
            optimiser.step()
    require_trained(module, tmp_path)


@pytest.mark.filterwarnings("ignore")
def test_lightning(tmp_path: Path) -> None:
    lightning: Any = pytest.importorskip("lightning")
    fusion, batches = module_and_batches()

    class Lit(lightning.LightningModule):  # type: ignore[misc]  # it may not be installed
        def __init__(self) -> None:
            super().__init__()
            self.fusion = fusion

        def training_step(self, batch: Any, _: int) -> Tensor:
            return loss_of(self.fusion, batch)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.AdamW(self.parameters(), lr=RATE)

    trainer = lightning.Trainer(
        max_epochs=30,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Lit(), batches)
    require_trained(fusion, tmp_path)
    trainer.save_checkpoint(tmp_path / "lit.ckpt")
    state: Any = torch.load(tmp_path / "lit.ckpt", weights_only=False)["state_dict"]
    assert {f"fusion.{name}" for name in fusion.state_dict()} == state.keys()


@pytest.mark.filterwarnings("ignore")
def test_the_trainer_of_transformers(tmp_path: Path) -> None:
    pytest.importorskip("accelerate")
    from transformers import Trainer, TrainingArguments

    fusion, _ = module_and_batches()

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fusion = fusion

        def forward(self, A: Tensor, B: Tensor, D: Tensor, labels: Tensor) -> dict[str, Tensor]:  # noqa: N803
            logits = self.fusion({"A": A, "B": B, "D": D})
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    arguments: Any = TrainingArguments(
        output_dir=str(tmp_path / "out"),
        num_train_epochs=30,
        per_device_train_batch_size=15,
        learning_rate=RATE,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
        seed=0,
    )
    Trainer(Model(), arguments, train_dataset=Samples()).train()
    require_trained(fusion, tmp_path)
