"""Whose each row of the tensors of a population is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class MemberRows:
    """Tensors each of whose rows, or the whole, is one member's."""

    def __init__(
        self,
        members: Sequence[Sequence[int]],
        tensors: Sequence[Tensor],
        count: int,
        device: torch.device,
    ) -> None:
        """`members` are those of the rows of each tensor, of so many in all."""
        flat = [member for rows in members for member in rows]
        self._members = torch.tensor(flat, dtype=torch.int64, device=device)
        self._counts = [len(rows) for rows in members]
        self._tensors, self._count, self._device = tensors, count, device

    def shares(self, values: Sequence[float] | Tensor) -> list[Tensor]:
        """Numbers of the members as tensors that are multiplied with these."""
        if not self._tensors:
            return []
        dtype = self._tensors[0].dtype
        sent = torch.as_tensor(values, dtype=dtype, device=self._device)
        rows = torch.split(sent[self._members], self._counts)
        return [
            row.view(-1, *[1] * (tensor.dim() - 1)) if len(row) > 1 else row.view(())
            for row, tensor in zip(rows, self._tensors, strict=True)
        ]

    def lengths(self, like: Sequence[Tensor | None]) -> Tensor:
        """The length of each member in tensors of the same shapes; None is zero."""
        squares = torch.cat([
            torch.zeros(count, device=self._device, dtype=tensor.dtype) if one is None
            else one.square().reshape(count, -1).sum(1)
            for one, tensor, count in zip(like, self._tensors, self._counts, strict=True)
        ])  # fmt: skip
        summed = squares.new_zeros(self._count).index_add_(0, self._members, squares)
        return summed.sqrt()
