"""The demo's features: what the two backbones say about every emoji.

| feature   | axes               | what it is                                              |
|-----------|--------------------|---------------------------------------------------------|
| `Image_1` | [c 16, h 16, w 16] | the picture after one convolutional stage               |
| `Image_2` | [c 32, h 8, w 8]   | after two                                               |
| `Image_3` | [c 48, h 4, w 4]   | after three                                             |
| `Image_4` | [c 64, h 2, w 2]   | after four                                              |
| `Text_1`  | [t 8, c 48]        | each word of the names alone; zero after the last word  |
| `Text_2`  | [t 8, c 64]        | each word with its neighbours; zero after the last word |
| `Text_3`  | [c 64]             | the whole text                                          |

NOTE: the backbones learn from the training split, and the features of samples that a backbone knows
by heart look surer than those of new ones. A fusion network that learns from them trusts them too
much. Therefore training is short, with strong augmentation and decay.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.random import fork_rng

from .backbones import Backbone, PictureBackbone, Staged, TextBackbone, hash_pieces
from .emoji import load_emoji
from .training import Schedule, drop_words, train, warp

Progress = Callable[[str, float], None]

# Chosen by accuracy on the validation split; the test split had no part in it.
PICTURE_SCHEDULE = Schedule(epochs=20, batch=32, decay=0.3, augment=warp)
TEXT_SCHEDULE = Schedule(epochs=60, batch=64, decay=0.05, augment=drop_words)


@dataclass(frozen=True)
class Extracted:
    """Features and what goes with them; `n` samples in the order of `Emoji`, `k` classes.

    - `features`: name to float32 (n, ...), with the names and axes of the table above.
    - `labels` (n,) int64, `split` (n,) int8: as in `Emoji`.
    - `image_probabilities`, `text_probabilities` (n, k) float32: each backbone's own answer.
    """

    features: Mapping[str, NDArray[np.float32]]
    labels: NDArray[np.int64]
    split: NDArray[np.int8]
    image_probabilities: NDArray[np.float32]
    text_probabilities: NDArray[np.float32]


def extract(seed: int, progress: Progress | None = None) -> Extracted:
    """Trains both backbones on the training split and runs them on all samples, on the CPU.

    `progress` is called with what is going on and the share of it that is done, in [0, 1]. The same
    seed gives the same numbers on one machine with one number of threads; PyTorch's own generators
    are left as they were.
    """
    emoji = load_emoji()
    classes = len(emoji.categories)
    pictures = torch.from_numpy(emoji.pictures).permute(0, 3, 1, 2).contiguous() / 255
    pieces = hash_pieces(emoji.texts.tolist())
    known, labels = torch.from_numpy(emoji.split == 0), torch.from_numpy(emoji.labels)
    tell = progress or _ignore
    with fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        picture, text = PictureBackbone(classes), TextBackbone(classes)
        for name, backbone, inputs, schedule in (
            ("picture backbone", picture, pictures, PICTURE_SCHEDULE),
            ("text backbone", text, pieces, TEXT_SCHEDULE),
        ):
            train(backbone, inputs[known], labels[known], schedule, partial(tell, name))
    images, words = _run(picture, pictures), _run(text, pieces)
    return Extracted(
        features={**_named("Image", images), **_named("Text", words)},
        labels=emoji.labels,
        split=emoji.split,
        image_probabilities=images.logits.softmax(1).numpy(),
        text_probabilities=words.logits.softmax(1).numpy(),
    )


@torch.no_grad()
def _run(backbone: Backbone, inputs: Tensor) -> Staged:
    parts: list[Staged] = [backbone(part) for part in torch.split(inputs, 256)]
    stages = zip(*(part.stages for part in parts), strict=True)
    return Staged(tuple(map(torch.cat, stages)), torch.cat([part.logits for part in parts]))


def _named(modality: str, staged: Staged) -> dict[str, NDArray[np.float32]]:
    return {f"{modality}_{i}": stage.numpy() for i, stage in enumerate(staged.stages, 1)}


def _ignore(name: str, done: float) -> None:
    pass
