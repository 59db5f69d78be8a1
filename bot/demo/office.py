"""What is recorded beside shows, chat and trade: sign-ins, bids, parcels, reports, promotions, money out.

Ordinary rows at their rates, and the makers of single rows that trouble uses too.
"""

from __future__ import annotations

import hashlib
import random
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.demo import words
from bot.demo.schema import Batch
from bot.demo.world import Sale, Show, World

# A minute at the busiest hour.
EVENTS, BIDS, REPORTS, PARCELS, COUPONS, GIVEAWAYS = 3.0, 3.0, 0.4, 1.0, 0.8, 0.15
SCORES, DISPUTES, PAYOUTS = 1.5, 0.012, 0.05
ESTABLISHED = timedelta(days=14)  # sooner nobody is paid out in ordinary life
PROMISE = timedelta(days=2)
BANNED = 25
CHANGES = (("login", 85), ("login_failed", 10), ("new_device", 3), ("password_changed", 2))
SELLERS_CHANGES = (("login", 95), ("email_changed", 3), ("payout_account_changed", 2))


class Office:
    """Makes those rows; chance of its own, so that the trade's does not depend on it."""

    def __init__(self, world: World, batch: Batch, rng: random.Random) -> None:
        self.world, self.batch = world, batch
        self.rng = random.Random(str(rng.getstate()[1][:4]))
        self._disputed: deque[str] = deque(maxlen=40)

    def rates(self) -> tuple[tuple[float, Callable[[datetime], object]], ...]:
        """What happens how often a minute, at the busiest hour."""
        return (
            (EVENTS, self._sign_in),
            (BIDS, self._lose),
            (REPORTS, self._complain),
            (PARCELS, self._ship),
            (COUPONS, self._redeem),
            (GIVEAWAYS, self._draw),
            (SCORES, self._score),
            (DISPUTES, self._dispute),
            (PAYOUTS, self._pay_out),
        )

    def begin(self, at: datetime) -> None:
        """What was there before the history starts."""
        for number in range(BANNED):
            banned = f"b_{900_000 + number}"
            self.ban(at - timedelta(days=1 + number), banned, home_device(banned))
        for number, title in enumerate(words.CAMPAIGNS):
            made = self.campaign(at - timedelta(days=number), title, 400_000, timedelta(days=45))
            self.world.campaigns.append(made)

    # ordinary life

    def _sign_in(self, at: datetime) -> None:
        sells = self.rng.random() < 0.12
        account = self.rng.choice(list(self.world.sellers)) if sells else self.world.buyer(self.rng)
        kinds, weights = zip(*(SELLERS_CHANGES if sells else CHANGES), strict=True)
        self.event(at, account, self.rng.choices(kinds, weights)[0])

    def _lose(self, at: datetime) -> None:
        """A bid that somebody else goes over."""
        if (show := self._show()) and (item := self.world.item(self.rng, show.seller_id)):
            self.bid(at, show, item[0], self.world.buyer(self.rng), item[1] * self.rng.uniform(0.3, 0.75))

    def _complain(self, at: datetime) -> None:
        if show := self._show():
            target = show.seller_id if self.rng.random() < 0.3 else self.world.buyer(self.rng)
            reporter = self.world.buyer(self.rng)
            self.report(at, reporter, target, show.id, self.rng.choice(words.REPORTED_FOR))

    def _ship(self, at: datetime) -> None:
        if (sale := self._sale(at)) is None:
            return
        scanned = self.rng.random() > 0.03
        label = max(sale.at, at - timedelta(hours=self.rng.uniform(0.5, 20))) if scanned else at
        self.parcel(at, sale, label_at=label, scanned=scanned)

    def _redeem(self, at: datetime) -> None:
        number = self.rng.randrange(len(words.COUPONS))
        campaign = self.world.campaigns[number] if number < len(self.world.campaigns) else None
        buyer_id = self.world.buyer(self.rng)
        self.redeem(at, words.COUPONS[number], buyer_id, self.rng.uniform(5, 15), campaign=campaign)

    def _draw(self, at: datetime) -> None:
        if show := self._show():
            self.giveaway(at, show, self.rng.choice(self.world.regulars), self.rng.uniform(10, 90))

    def _score(self, at: datetime) -> None:
        value = round(self.rng.betavariate(2, 6), 4)
        self.score(at, self.rng.choice(words.MODELS), self.world.buyer(self.rng), value)

    def _dispute(self, at: datetime) -> None:
        sale = self._sale(at)
        if sale and sale.seller_id not in self._disputed:
            self._disputed.append(sale.seller_id)
            self.dispute(at, sale, self.rng.choice(("fraud", "not as described")))

    def _pay_out(self, at: datetime) -> None:
        seller = self.rng.choice(list(self.world.sellers.values()))
        if at - seller.joined_at > ESTABLISHED:
            self.payout(at, seller.id, self.rng.uniform(40, 2_000))

    def _show(self) -> Show | None:
        shows = list(self.world.shows.values())
        return self.rng.choice(shows) if shows and self.world.buyers else None

    def _sale(self, at: datetime) -> Sale | None:
        sale = self.rng.choice(self.world.sales) if self.world.sales else None
        return sale if sale and sale.at < at else None

    # single rows; each gives the row's id

    def event(self, at: datetime, account_id: str, kind: str, device: str = "", ip: str = "") -> str:
        return self._add(
            "core.account_events",
            "event_id",
            account_id=account_id,
            kind=kind,
            device_id=device or home_device(account_id),
            ip=ip or home_address(account_id),
            happened_at=at,
        )

    def bid(self, at: datetime, show: Show, listing_id: str, bidder_id: str, amount: float) -> str:
        return self._add(
            "core.bids",
            "bid_id",
            show_id=show.id,
            listing_id=listing_id,
            seller_id=show.seller_id,
            bidder_id=bidder_id,
            amount=round(amount, 2),
            placed_at=at,
        )

    def report(self, at: datetime, reporter_id: str, target_id: str, show_id: str, reason: str) -> str:
        return self._add(
            "core.reports",
            "report_id",
            reporter_id=reporter_id,
            target_id=target_id,
            show_id=show_id,
            reason=reason,
            status="open",
            reported_at=at,
        )

    def parcel(
        self,
        at: datetime,
        sale: Sale,
        *,
        label_at: datetime | None = None,
        scanned: bool = True,
        tracking: str = "",
        declared: int = 0,
        weighed: int = 0,
    ) -> str:
        """A parcel as the carrier tells of it at `at`."""
        label_at = label_at or at
        declared = declared or self.rng.randint(150, 2_000)
        weighed = weighed or round(declared * self.rng.uniform(0.85, 1.1))
        return self._add(
            "core.shipments",
            "shipment_id",
            order_id=sale.order_id,
            seller_id=sale.seller_id,
            buyer_id=sale.buyer_id,
            tracking_number=tracking or f"TRK{self.rng.getrandbits(36):011d}",
            declared_grams=declared,
            weighed_grams=weighed if scanned else None,
            label_at=label_at,
            ships_by=label_at + PROMISE,
            first_scan_at=at if scanned else None,
            updated_at=at,
        )

    def campaign(self, at: datetime, title: str, budget: float, length: timedelta) -> str:
        return self._add(
            "core.campaigns", "campaign_id", title=title, budget=budget, starts_at=at, ends_at=at + length
        )

    def redeem(
        self,
        at: datetime,
        coupon: str,
        buyer_id: str,
        amount: float,
        device: str = "",
        campaign: str | None = None,
    ) -> str:
        return self._add(
            "core.redemptions",
            "redemption_id",
            campaign_id=campaign,
            coupon=coupon,
            buyer_id=buyer_id,
            device_id=device or home_device(buyer_id),
            amount=round(amount, 2),
            redeemed_at=at,
        )

    def giveaway(self, at: datetime, show: Show, winner_id: str, prize: float) -> str:
        return self._add(
            "core.giveaways",
            "giveaway_id",
            show_id=show.id,
            seller_id=show.seller_id,
            winner_id=winner_id,
            prize_value=round(prize, 2),
            drawn_at=at,
        )

    def score(self, at: datetime, model: str, subject_id: str, score: float) -> str:
        return self._add(
            "core.scores", "score_id", model=model, subject_id=subject_id, score=score, scored_at=at
        )

    def dispute(self, at: datetime, sale: Sale, reason: str) -> str:
        return self._add(
            "core.disputes",
            "dispute_id",
            order_id=sale.order_id,
            seller_id=sale.seller_id,
            buyer_id=sale.buyer_id,
            amount=sale.amount,
            reason=reason,
            opened_at=at,
        )

    def payout(self, at: datetime, seller_id: str, amount: float, account: str = "") -> str:
        return self._add(
            "core.payouts",
            "payout_id",
            seller_id=seller_id,
            bank_account=account or f"acct_{_digest('bank ' + seller_id)[:8]}",
            amount=round(amount, 2),
            paid_at=at,
        )

    def ban(self, at: datetime, account_id: str, device: str, reason: str = "") -> None:
        self.batch.add(
            "vetted.banned_devices",
            device_id=device,
            account_id=account_id,
            reason=reason or self.rng.choice(words.BANNED_FOR),
            banned_at=at,
        )

    def _add(self, table: str, id_column: str, **row: object) -> str:
        number = self.world.id(table)
        self.batch.add(table, **{id_column: number}, **row)
        return number


def home_device(account_id: str) -> str:
    """The device that somebody always uses."""
    return f"d_{_digest('device ' + account_id)[:10]}"


def home_address(account_id: str) -> str:
    """The address from which somebody always comes."""
    return ".".join(str(byte) for byte in bytes.fromhex("0a" + _digest("address " + account_id)[:6]))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
