"""Whether the scale of channels matters to a network: `python -m benchmarks.scales`.

Halves of data that come with scikit-learn, of which every fourth channel is multiplied by a number,
go straight to the head, by the adapters of `bmnas` and by ones that normalise a feature first.
"""

from __future__ import annotations

import warnings

import numpy as np

import fusewright as fw

from .widths import SEEDS, sets, split_of

TIMES = (1, 3, 10, 100, 1000)
EVERY = 4
NORMALISED = "role adapt(f) = dropout(relu(batchnorm(batchnorm(resample(f)) @ W[c, C] + b[C])))"


def spec(channels: int, classes: int, role: str) -> fw.Spec:
    return fw.loads(
        f"""
        network scales(C = 32, L = 1, dropout = 0.1)
        use bmnas
        {role}
        modality a {{ A[c {channels}] }}
        modality b {{ B[c {channels}] }}
        output A, B
        predict {classes} classes
        """
    )


def main() -> None:
    warnings.simplefilter("ignore", fw.DataWarning)
    for name, (first, second, labels) in sets().items():
        for adapter, role in (("bmnas", ""), ("normalised", NORMALISED)):
            network = spec(first.shape[1], len(np.unique(labels)), role)
            told: list[str] = []
            for times in TIMES:
                scale = np.where(np.arange(first.shape[1]) % EVERY, 1, times)
                scores: list[float] = []
                for seed in range(SEEDS):
                    data = {"A": first * scale, "B": second * scale, "labels": labels}
                    data["split"] = split_of(len(labels), seed)
                    trained = fw.train(network, data, seed=seed, threads=1)
                    scores.append(fw.evaluate(trained, data)["accuracy"])
                told.append(f"{times}: {np.mean(scores):.3f}")
            print(f"{name}, {adapter}, by times: {', '.join(told)}", flush=True)


if __name__ == "__main__":
    main()
