"""The network: a linear scale model with an LSTM that corrects it, one Student-t per horizon.

N sequences, T steps, I inputs, H horizons, P patterns of what is known
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from stockcast.forecasting.inputs import INPUTS, MARKET_MASK, RANGE_MASK
from stockcast.forecasting.linear import LARGEST_CORRECTION, ScaleModel
from stockcast.forecasting.student_t import LEAST_DF, MOST_DF

# A daily mean return beyond 0.15 of the scale would be a fortune; the bound keeps noise from becoming one.
LARGEST_LOCATION = 0.15


class StudentTNetwork(nn.Module):
    """Inputs to the location, scale and degrees of freedom of the coming log returns.

    Location and scale are in units of the volatility at each step. Before training it equals the linear
    forecaster that it is given: the last layer of its correction starts at zero.
    """

    def __init__(self, hidden_size: int, layers: int, dropout: float, linear: ScaleModel) -> None:
        super().__init__()
        self.horizon = linear.dfs.shape[1]
        self.lstm = nn.LSTM(
            len(INPUTS), hidden_size, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0
        )
        self.head = nn.Linear(hidden_size, 3 * self.horizon, bias=False)
        nn.init.zeros_(self.head.weight)
        self.skip = nn.Parameter(torch.from_numpy(linear.weights).float().flatten(0, 1))  # [P * H, I]
        self.log_scale = nn.Parameter(torch.from_numpy(linear.intercepts).float())  # [P, H]
        share = torch.from_numpy((linear.dfs - LEAST_DF) / (MOST_DF - LEAST_DF)).float().clamp(1e-3, 1 - 1e-3)
        self.df_logit = nn.Parameter(torch.log(share / (1 - share)))  # [P, H]

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs [N, T, I] -> location, scale, degrees of freedom, each [N, T, H]."""
        hidden, _ = self.lstm(inputs)  # [N, T, hidden]
        return self._read(inputs, hidden)

    def last(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same at the last step alone; only the recurrence needs the others. [N, T, I] -> [N, H] each"""
        hidden, _ = self.lstm(inputs)
        location, scale, df = self._read(inputs[:, -1:], hidden[:, -1:])
        return location[:, 0], scale[:, 0], df[:, 0]

    def _read(self, inputs: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        location, correction, df = self.head(hidden).chunk(3, dim=-1)  # each [N, T, H]
        pattern = _one_hot(inputs)  # [N, T, P, 1]
        linear = (inputs @ self.skip.T).reshape(*inputs.shape[:2], -1, self.horizon)  # [N, T, P, H]
        bounded = linear.clamp(-LARGEST_CORRECTION, LARGEST_CORRECTION) + self.log_scale
        scale = torch.exp((pattern * bounded).sum(-2) + torch.tanh(correction))
        df_logit = (pattern * self.df_logit).sum(-2) + df
        return (
            LARGEST_LOCATION * scale * torch.tanh(location),
            scale,
            LEAST_DF + (MOST_DF - LEAST_DF) * torch.sigmoid(df_logit),
        )


class Ensemble(nn.Module):
    """Networks from several seeds read as one: mean location and degrees of freedom, geometric mean scale."""

    def __init__(self, members: list[StudentTNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs [N, T, I] -> location, scale, degrees of freedom, each [N, T, H]."""
        return average([member(inputs) for member in self.members])

    def last(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same at the last step alone. [N, T, I] -> [N, H] each"""
        outputs: list[tuple[Tensor, Tensor, Tensor]] = [member.last(inputs) for member in self.members]  # type: ignore[operator]
        return average(outputs)


class LastStep(nn.Module):
    """The same networks read at their last step alone: what is exported and served."""

    def __init__(self, network: Ensemble) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs [N, T, I] -> location, scale, degrees of freedom, each [N, H]."""
        return self.network.last(inputs)


def average(outputs: list[tuple[Tensor, Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    """What several members say together."""
    locations, scales, dfs = (torch.stack(column) for column in zip(*outputs, strict=True))
    return locations.mean(0), torch.exp(torch.log(scales).mean(0)), dfs.mean(0)


def student_t_loss(location: Tensor, scale: Tensor, df: Tensor, targets: Tensor) -> Tensor:
    """Negative log-likelihood of targets under location + scale * t(df), averaged per horizon. [..., H] -> [H]"""
    z = (targets - location) / scale
    constant = torch.lgamma((df + 1) / 2) - torch.lgamma(df / 2) - 0.5 * torch.log(df * math.pi) - torch.log(scale)
    return ((df + 1) / 2 * torch.log1p(z * z / df) - constant).flatten(0, -2).mean(0)


def _one_hot(inputs: Tensor) -> Tensor:
    """Which of linear.PATTERNS each step knows. [N, T, I] -> [N, T, P, 1]"""
    ranges, market = inputs[..., RANGE_MASK], inputs[..., MARKET_MASK]
    known = [(1 - ranges) * (1 - market), ranges * (1 - market), (1 - ranges) * market, ranges * market]
    return torch.stack(known, dim=-1).unsqueeze(-1)
