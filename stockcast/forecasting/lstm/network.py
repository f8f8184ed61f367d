"""The network: a linear scale model with an LSTM that corrects it, one Student-t per horizon.

N sequences, T steps, F features, H horizons
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from stockcast.forecasting.student_t import LEAST_DF, MOST_DF

# A daily mean return beyond 0.15 of the scale would be a fortune; the bound keeps noise from becoming one.
LARGEST_LOCATION = 0.15


class StudentTNetwork(nn.Module):
    """Features to the location, scale and degrees of freedom of the coming log returns.

    Location and scale are in units of the volatility at each step. Before training it equals the EWMA
    Student-t forecaster whose `scales` and `dfs` it is given: both its last layers start at zero.
    """

    def __init__(
        self,
        features: int,
        hidden_size: int,
        layers: int,
        dropout: float,
        scales: tuple[float, ...],
        dfs: tuple[float, ...],
    ) -> None:
        super().__init__()
        horizon = len(scales)
        self.lstm = nn.LSTM(
            features, hidden_size, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0
        )
        self.skip = nn.Linear(features, horizon, bias=False)
        self.head = nn.Linear(hidden_size, 3 * horizon, bias=False)
        nn.init.zeros_(self.skip.weight)
        nn.init.zeros_(self.head.weight)
        self.log_scale = nn.Parameter(torch.tensor([math.log(scale) for scale in scales]))  # [H]
        self.df_logit = nn.Parameter(torch.tensor([_df_logit(df) for df in dfs]))  # [H]

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features [N, T, F] -> location, scale, degrees of freedom, each [N, T, H]."""
        hidden, _ = self.lstm(features)  # [N, T, hidden]
        location, log_scale, df_logit = self.head(hidden).chunk(3, dim=-1)  # each [N, T, H]
        # The correction is bounded to a factor of e in either direction, so that no input can break a forecast.
        correction = torch.tanh(self.skip(features) + log_scale)
        scale = torch.exp(self.log_scale + correction)
        df = LEAST_DF + (MOST_DF - LEAST_DF) * torch.sigmoid(self.df_logit + df_logit)
        return LARGEST_LOCATION * scale * torch.tanh(location), scale, df


class LastStep(nn.Module):
    """The same network read at its last step alone: what is exported and served."""

    def __init__(self, network: StudentTNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features [N, T, F] -> location, scale, degrees of freedom, each [N, H]."""
        location, scale, df = self.network(features)
        return location[:, -1], scale[:, -1], df[:, -1]


def student_t_loss(location: Tensor, scale: Tensor, df: Tensor, targets: Tensor) -> Tensor:
    """Mean negative log-likelihood of targets under location + scale * t(df); all of one shape."""
    z = (targets - location) / scale
    constant = torch.lgamma((df + 1) / 2) - torch.lgamma(df / 2) - 0.5 * torch.log(df * math.pi) - torch.log(scale)
    return ((df + 1) / 2 * torch.log1p(z * z / df) - constant).mean()


def _df_logit(df: float) -> float:
    share = min(max((df - LEAST_DF) / (MOST_DF - LEAST_DF), 1e-3), 1 - 1e-3)
    return math.log(share / (1 - share))
