"""Trusted fusion after TEF on development sets: does evidence from a searched view help?

`python -m benchmarks.trusted --data CACHE`: on emoji and digits, BM-NAS's own search finds a
genotype (`darts`, the published rule). Measured on test, over seeds of search and training: each
modality's last feature alone; the searched network with one head; the same with a head for each
view, evidence and Dempster's rule, as `examples/systems/tef.fuse` has it, where each head is one
more row; and the same heads without evidence, whose logits are averaged. TEF is our reading
of what is known of it. All train for the same epochs with the default settings.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import fusewright as fw

from .machine import machine
from .study.data import SETS, load

EVIDENCE = """use evidence
role head(h) = Evidence(flatten(h, first = channels) @ W[_, K] + b[K])
role decide(*h) = Dempster(*h)
"""
MEAN = """role decide(x, y, z) = (x + y + z) / 3
"""
ACCURACY = "accuracy"


def with_heads(genotype: fw.Spec, roles: str, loss: str) -> fw.Spec:
    """The genotype with a head for each modality's last feature, one for the Cells, and all."""
    before, _, predicted = str(genotype).rpartition("predict ")
    head, _, rest = before.partition("\nmodality ")
    last = {m.name: m.features[-1].name for m in genotype.modalities}
    names = [f"{modality}_view" for modality in last]
    said = [
        *(f"predict {m}_view({feature}{loss}) {predicted}" for m, feature in last.items()),
        f"predict searched_view({loss.removeprefix(', ')}) {predicted}",
        f"predict all({', '.join([*names, 'searched_view'])}{loss}) {predicted}",
    ]
    heads = "\n".join(line.replace("()", "") for line in said)
    return fw.loads(f"{head}\n{roles}\nmodality {rest}\n{heads}")


def alone(genotype: fw.Spec, feature: str) -> fw.Spec:
    """One feature with a head."""
    before, _, _ = str(genotype).partition("\ncell ")
    _, _, predicted = str(genotype).rpartition("predict ")
    return fw.loads(f"{before}\noutput {feature}\npredict {predicted}")


def measured(name: str, cache: Path, seed: int, epochs: int) -> dict[str, float]:
    """The test accuracy of every row, for one seed."""
    data, space, batch = load(name, cache), fw.load(SETS[name].spec), SETS[name].batch
    same: dict[str, Any] = {"seed": seed, "batch": batch, "epochs": epochs}
    found = fw.search(
        space, data, strategy="darts", relax="shared", rule="paper",
        seed=seed, batch=batch,
    )  # fmt: skip
    genotype = found.genotype

    def test(spec: fw.Spec) -> Any:
        return fw.evaluate(fw.train(spec, data, **same), data)

    rows = {
        f"{m.name} alone": test(alone(genotype, str(m.features[-1].name)))[ACCURACY]
        for m in genotype.modalities
    }
    rows["searched, one head"] = test(genotype)[ACCURACY]
    for title, roles, loss in (
        ("evidence", EVIDENCE, ", loss = evidential"),
        ("mean of heads", MEAN, ""),
    ):
        scores = test(with_heads(genotype, roles, loss))
        rows |= {
            f"{title}: {key.removesuffix('.accuracy')}": value
            for key, value in scores.items()
            if key.endswith(f".{ACCURACY}")
        }
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="where data sets are kept")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--set", action="append", choices=[*SETS], dest="sets")
    options = parser.parse_args()
    print(f"{options.seeds} seeds, {options.epochs} epochs; {machine('torch')}")
    for name in options.sets or ("emoji", "digits"):
        runs = [measured(name, options.data, seed, options.epochs) for seed in range(options.seeds)]
        print(f"\n{name}: test accuracy, %")
        for row in runs[0]:
            values = [100 * run[row] for run in runs]
            spread = stdev(values) if len(values) > 1 else 0.0
            print(f"  {row:32} {mean(values):5.1f} ± {spread:.1f}")


if __name__ == "__main__":
    main()
