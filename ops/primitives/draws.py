"""Random numbers that are keyed: by a network's seed and step, by the place, and by the sample.

A draw is a function of its key, so that it is the same in every target, on every device, in
whatever order, and whichever networks are trained beside it. `with_draws` puts them into a Program.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from ..batching import Kinds, everywhere
from ..primitive import Attribute, Primitive
from ..types import CANDIDATES, CHANNELS, Axis, ShapeError, TensorType
from .shaping import dropout_type

LANES = 4
"""Numbers of 16 bits in a word of 64."""
_STEPS = 1 << 16
GOLDEN = -7046029254386353131
_FACTORS = (-4658895280553007687, -7723592293110705685)
_SHIFTS = (30, 27, 31)
_BITS = 64
Of: TypeAlias = tuple[tuple[int, int], ...]


def mixed(x: Any) -> Any:
    """Integers of 64 bits that look random, of different ones: SplitMix64's finaliser.

    Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
    """
    for shift, factor in zip(_SHIFTS, _FACTORS, strict=False):
        x = (x ^ (x >> shift & _low(shift))) * factor
    return x ^ (x >> _SHIFTS[-1] & _low(_SHIFTS[-1]))


def _low(shift: int) -> int:
    """The bits that a shift leaves; the sign, which it would repeat, is not among them."""
    return (1 << _BITS - shift) - 1


def mix_in_place(torch: Any, x: Any, scratch: Any) -> None:
    """`mixed`, by torch, into `x` itself; `scratch` is as large."""
    for shift, factor in zip(_SHIFTS, (*_FACTORS, 1), strict=True):
        torch.bitwise_right_shift(x, shift, out=scratch)
        x.bitwise_xor_(scratch.bitwise_and_(_low(shift)))
        if factor != 1:
            x.mul_(factor)


def words_of(elements: int) -> int:
    """The words that so many numbers of 16 bits are in."""
    return -(-elements // LANES)


def threshold(rate: float) -> tuple[int, float]:
    """From which 16 bits on an element is kept, and what it is scaled by."""
    dropped = min(round(rate * _STEPS), _STEPS - 1)
    return dropped - _STEPS // 2, _STEPS / (_STEPS - dropped)


def _draws_type(keys: TensorType, samples: TensorType, of: Of, width: int) -> TensorType:
    if keys.batched or len(keys.axes) != 1 or not samples.batched:
        raise ShapeError(f"`draws` takes keys and a batched value, not {keys} and {samples}")
    if any(not 0 <= member < (keys.axes[0].size or 0) for member, _ in of):
        raise ShapeError(f"{keys} has no key for every draw")
    return TensorType((Axis(CANDIDATES, len(of)), Axis(CHANNELS, width)))


def _numpy_draws(np: Any, keys: Any, samples: Any, of: Of, width: int) -> Any:
    chosen = np.asarray(keys, np.int64)[[member for member, _ in of]]
    bases = mixed(chosen ^ np.array([place for _, place in of], np.int64))
    counters = np.arange(len(samples) * width, dtype=np.int64).reshape(-1, width) * GOLDEN
    return mixed(bases[:, None, None] + counters)


def _torch_draws(torch: Any, keys: Any, samples: Any, of: Of, width: int) -> Any:
    places = torch.tensor([place for _, place in of], device=keys.device)
    bases = mixed(keys[[member for member, _ in of]] ^ places)
    counters = torch.arange(samples.shape[0] * width, device=keys.device) * GOLDEN
    return mixed(bases[:, None, None] + counters.view(-1, width))


def _masked_type(x: TensorType, bits: TensorType, rate: float, relu: bool) -> TensorType:
    if bits.channels() != words_of(x.elements()):
        raise ShapeError(f"{bits} are not the draws for {x}")
    return dropout_type(x, rate)


def _numpy_masked(np: Any, x: Any, bits: Any, rate: float, relu: bool, training: bool) -> Any:
    x = np.maximum(x, 0) if relu else x
    if not training:
        return x
    least, scale = threshold(rate)
    lanes = np.ascontiguousarray(bits).view(np.int16)[..., : x[0].size].reshape(x.shape)
    return x * (lanes >= least) * scale


def _torch_masked(torch: Any, x: Any, bits: Any, rate: float, relu: bool, training: bool) -> Any:
    return _masked(torch, x, bits, rate, relu, training, 1)


def _masked(
    torch: Any, x: Any, bits: Any, rate: float, relu: bool, training: bool, leading: int
) -> Any:
    x = torch.relu(x) if relu else x
    if not training:
        return x
    least, scale = threshold(rate)
    lanes = bits.view(torch.int16).narrow(-1, 0, x.shape[leading:].numel()).reshape(x.shape)
    return x * (lanes >= least) * scale


def _batched_masked(
    torch: Any, record: Any, arguments: Sequence[Any], of: Kinds, settings: dict[str, Any]
) -> Any:
    x, bits = everywhere(arguments, of)
    return _masked(torch, x, bits, **settings, leading=2)


draws = Primitive(
    name="draws",
    inputs=(2, 2),
    type=_draws_type,
    numpy=_numpy_draws,
    torch=_torch_draws,
    latex=lambda keys, samples, **_: r"\xi",
    public=False,
)
masked = Primitive(
    name="masked",
    inputs=(2, 2),
    attributes=(Attribute("rate", "number"),),
    type=_masked_type,
    numpy=_numpy_masked,
    torch=_torch_masked,
    latex=lambda x, bits, **_: rf"{x} \odot {bits}",
    zero=lambda zero: zero[0],
    modal=True,
    public=False,
    batched=_batched_masked,
)
