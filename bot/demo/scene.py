"""Where trouble is made, and what was planted. What trouble there is stands in trouble/."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.demo import words
from bot.demo.life import Life
from bot.demo.office import Office
from bot.demo.world import Sale, Seller, Show, handle

BURST = timedelta(seconds=40)  # how far back the rows of one trouble reach


@dataclass(frozen=True)
class Planted:
    """What a policy has to find: about whom, and in which rows."""

    at: datetime
    policy: str
    key: Mapping[str, str]
    rows: tuple[str, ...]
    ends_at: datetime | None = None  # when the market puts it right by itself


@dataclass(frozen=True)
class Scene:
    """Where trouble is made: the life around it, the chance, the moment, and SQL that changes what stands."""

    life: Life
    rng: random.Random
    at: datetime
    change: Callable[[str, list[object]], None]

    @property
    def office(self) -> Office:
        return self.life.office

    def times(self, count: int) -> list[datetime]:
        """Moments of the last seconds, in order, the last one now."""
        back = sorted((self.rng.random() for _ in range(count - 1)), reverse=True)
        return [self.at - BURST * share for share in back] + [self.at]

    def show(self) -> Show:
        """A live show, rather one that had begun by now."""
        shows = sorted(self.life.world.shows.values(), key=lambda show: show.started_at)
        begun = [show for show in shows if show.started_at < self.at - BURST]
        return self.rng.choice(begun or shows)

    def seller(self) -> Seller:
        return self.rng.choice([s for s in self.life.world.sellers.values() if s.trusted])

    def buyer(self) -> str:
        return self.rng.choice(list(self.life.world.buyers))

    def words(self, text: str) -> str:
        name = self.rng.choice(words.FIRST_NAMES)
        tag = "".join(self.rng.choice("abcdefghkmnprstw") for _ in range(4))
        return text.format(handle=handle(name) + tag, name=name, n=self.rng.randint(20, 300), tag=tag)

    def found(
        self, policy: str, key: Mapping[str, str], rows: list[str], lasts: timedelta | None = None
    ) -> Planted:
        return Planted(self.at, policy, key, tuple(rows), self.at + lasts if lasts else None)

    def earlier(self, count: int, least: timedelta, most: timedelta) -> list[datetime]:
        """Moments between `most` and `least` ago, in order."""
        back = sorted((self.rng.uniform(least / most, 1) for _ in range(count)), reverse=True)
        return [self.at - most * share for share in back]

    def stranger(self) -> str:
        """A new buyer who signed up some hours ago, on a device of their own."""
        return self.arrives(self.at - timedelta(hours=self.rng.uniform(2, 9)), self.device())

    def arrives(self, at: datetime, device: str) -> str:
        """A new buyer who signs up on a device; the account's id."""
        return self.life.sign_up(at, device, f"192.0.2.{self.rng.randint(1, 254)}")[1]

    def device(self) -> str:
        return f"d_{self.rng.getrandbits(40):010x}"

    def sale(self, seller: Seller) -> Sale:
        """Something that the seller sold some days ago."""
        amount = round(words.CATEGORIES[seller.category].price * self.rng.uniform(0.7, 1.5), 2)
        bought, buyer_id = self.at - timedelta(days=self.rng.uniform(3, 5)), self.buyer()
        order = self.life.order(bought, seller.id, buyer_id, amount, None, None, "shipped")
        return Sale(order, seller.id, buyer_id, amount, bought)
