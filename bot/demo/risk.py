"""The risk service: scores sellers anew, failing now and then, trains its model, and sends notices.

The same Idempotency-Key always means the same run or notice, over restarts.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from bot.demo import holds

TAKES = 3.0  # seconds
FAILS_ONE_IN = 8
FAILURES = (
    "the feature store did not answer within 2 s; try again in a minute",
    "the model gave no score: too few orders in the last 30 days",
)


CANCELLED = "stopped by request"
MODEL = "model:risk"  # whom a run is about that trains the model


@dataclass(frozen=True)
class RiskRun:
    id: int
    seller_id: str
    started_at: float  # seconds of the epoch
    before: float
    after: float
    failure: str | None

    @property
    def trains(self) -> bool:
        return self.seller_id == MODEL

    def state(self, now: float) -> str:
        if self.failure == CANCELLED:
            return "cancelled"
        if now - self.started_at < TAKES:
            return "running"
        return "failed" if self.failure else "succeeded"

    def message(self, now: float) -> str:
        match self.state(now):
            case "running":
                return f"training {MODEL}" if self.trains else f"scoring {self.seller_id}"
            case "failed" | "cancelled":
                return self.failure or ""
            case _:
                what = "precision" if self.trains else "risk"
                return f"{what} {self.before:.2f} → {self.after:.2f}"

    def log(self, now: float) -> str:
        """What it has written so far, a line each second."""
        whose = "all sellers" if self.trains else self.seller_id
        last = "training" if self.trains else "scoring"
        lines = [f"reading the orders of {whose}", "asking the feature store", last]
        said = [f"{n + 1} s  {line}" for n, line in enumerate(lines) if now - self.started_at >= n]
        over = {"failed": "ERROR", "cancelled": "STOPPED", "succeeded": "DONE"}.get(self.state(now))
        return "\n".join([*said, f"{over}  {self.message(now)}"] if over else said) + "\n"


def start(folder: Path, key: str, seller_id: str, *, troubled: bool, now: float) -> RiskRun:
    """The run of this key; a new one if the key is new."""
    before, after = _scores(folder, key, seller_id, troubled)
    failure = FAILURES[_hash(key) % 2] if _hash("fails", key) % FAILS_ONE_IN == 0 else None
    return _begun(folder, key, seller_id, now, before, after, failure)


def train(folder: Path, key: str, *, now: float) -> RiskRun:
    """A training of the model: the run of this key; it does not fail."""
    last = _runs(folder, "failure IS NULL AND seller_id = ?", MODEL)
    after = 0.86 + _hash(key, MODEL) % 9 / 100
    return _begun(folder, key, MODEL, now, last[-1].after if last else 0.88, round(after, 2), None)


def _begun(
    folder: Path, key: str, about: str, now: float, before: float, after: float, failure: str | None
) -> RiskRun:
    holds.ask(
        folder,
        "INSERT INTO risk_runs (key, seller_id, started_at, before, after, failure) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
        [key, about, now, before, after, failure],
    )
    return _runs(folder, "key = ?", key)[0]


def cancel(folder: Path, run_id: int, now: float) -> RiskRun | None:
    """Stops a run that goes on; one that is over stays as it is."""
    going = "id = ? AND started_at > ?"
    values = [CANCELLED, run_id, now - TAKES]
    holds.ask(folder, f"UPDATE risk_runs SET failure = ? WHERE {going}", values)
    return find(folder, run_id)


def find(folder: Path, run_id: int) -> RiskRun | None:
    return next(iter(_runs(folder, "id = ?", run_id)), None)


def notify(folder: Path, key: str, seller_id: str, text: str) -> int:
    """Leaves a notice in the seller's inbox, once per key; its number."""
    holds.ask(
        folder,
        "INSERT INTO notices (key, seller_id, body) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING",
        [key, seller_id, text],
    )
    return int(holds.ask(folder, "SELECT id FROM notices WHERE key = ?", [key])[0][0])


def _runs(folder: Path, condition: str, value: object) -> list[RiskRun]:
    sql = f"SELECT id, seller_id, started_at, before, after, failure FROM risk_runs WHERE {condition}"
    return [RiskRun(*row) for row in holds.ask(folder, sql, [value])]


def _scores(folder: Path, key: str, seller_id: str, troubled: bool) -> tuple[float, float]:
    """From the last score to the new one: high where there is trouble, near the usual where not."""
    last = holds.ask(
        folder,
        "SELECT after FROM risk_runs WHERE seller_id = ? AND failure IS NULL ORDER BY id DESC LIMIT 1",
        [seller_id],
    )
    usual = 0.08 + _hash(seller_id) % 30 / 100
    drift = _hash(key, seller_id) % 13 / 100
    return (last[0][0] if last else usual), round(0.82 + drift if troubled else usual + drift / 4, 2)


def _hash(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("\n".join(parts).encode()).digest()[:6])
