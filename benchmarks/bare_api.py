"""A FastAPI route that does nothing with sixty closes, for api_load: python -m benchmarks.bare_api PORT"""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

bare = FastAPI()


class Closes(BaseModel):
    """The body of /predict."""

    last_prices: list[float]


@bare.get("/bare")
async def empty() -> dict[str, str]:
    """The least that a route can do."""
    return {"status": "ok"}


@bare.post("/bare")
async def read(closes: Closes) -> dict[str, float]:
    """Reads what /predict reads, and answers a constant."""
    return {"predicted_price": 1.0}


if __name__ == "__main__":
    uvicorn.run(
        bare,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        http="httptools",
        loop="uvloop",
        ws="none",
        access_log=False,
        server_header=False,
        log_level="warning",
    )
