"""What the generator remembers of the marketplace between beats; read again from the tables at a start."""

from __future__ import annotations

import random
import re
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import duckdb

PREFIXES = {
    "core.sellers": ("seller_id", "s"),
    "core.buyers": ("buyer_id", "b"),
    "core.shows": ("show_id", "sh"),
    "core.listings": ("listing_id", "l"),
    "core.orders": ("order_id", "o"),
    "core.refunds": ("refund_id", "r"),
    "core.chat_messages": ("message_id", "m"),
    "core.signups": ("signup_id", "u"),
    "core.disputes": ("dispute_id", "di"),
    "core.payouts": ("payout_id", "po"),
    "core.account_events": ("event_id", "ev"),
    "core.bids": ("bid_id", "bi"),
    "core.reports": ("report_id", "re"),
    "core.shipments": ("shipment_id", "pa"),
    "core.campaigns": ("campaign_id", "ca"),
    "core.redemptions": ("redemption_id", "rd"),
    "core.giveaways": ("giveaway_id", "gi"),
    "core.scores": ("score_id", "sc"),
}
CAMPAIGNS = "SELECT campaign_id FROM core.campaigns WHERE title NOT LIKE '%, flash' ORDER BY starts_at DESC"
NEWCOMER = timedelta(days=7)  # nobody goes live in the first week
LONG_TEXT = 25
REMEMBERED_SALES = 3_000
LISTINGS_PER_SELLER = 40
REFUNDS_IN_TWO_HOURS = 3  # of one seller in ordinary life; more would be a spike


@dataclass(frozen=True)
class Seller:
    id: str
    name: str
    category: str
    joined_at: datetime
    trusted: bool = True  # verified: may go live

    @property
    def weight(self) -> float:
        """How much of the trade is this seller's; the same over restarts."""
        return 0.3 + (int(self.id[2:]) * 2654435761 % 1000) / 500


@dataclass(frozen=True)
class Show:
    id: str
    seller_id: str
    category: str
    started_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Sale:
    order_id: str
    seller_id: str
    buyer_id: str
    amount: float
    at: datetime


@dataclass
class World:
    """Who is there now. Ids only grow."""

    sellers: dict[str, Seller] = field(default_factory=dict)
    buyers: dict[str, str] = field(default_factory=dict)  # id -> name
    regulars: list[str] = field(default_factory=list)  # their ids, those who joined first before the others
    shows: dict[str, Show] = field(default_factory=dict)  # live ones
    listings: dict[str, deque[tuple[str, float]]] = field(default_factory=dict)  # seller -> (id, price)
    sales: deque[Sale] = field(default_factory=lambda: deque(maxlen=REMEMBERED_SALES))
    refunds: dict[str, deque[datetime]] = field(default_factory=dict)  # seller -> when, lately
    campaigns: list[str] = field(default_factory=list)  # those of ordinary life
    said: dict[str, deque[str]] = field(default_factory=dict)  # show -> long texts, lately
    next_ids: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PREFIXES, 1))

    def id(self, table: str) -> str:
        number = self.next_ids[table]
        self.next_ids[table] = number + 1
        return f"{PREFIXES[table][1]}_{number}"

    def list_item(self, seller_id: str, listing_id: str, price: float) -> None:
        shelf = self.listings.setdefault(seller_id, deque(maxlen=LISTINGS_PER_SELLER))
        shelf.append((listing_id, price))

    def item(self, rng: random.Random, seller_id: str) -> tuple[str, float] | None:
        shelf = self.listings.get(seller_id)
        return rng.choice(shelf) if shelf else None

    def buyer(self, rng: random.Random) -> str:
        """A buyer's id; the ones who have been here longest come back most."""
        return self.regulars[int(len(self.regulars) * rng.random() ** 1.6)]

    def meet(self, buyer_id: str, name: str) -> None:
        self.buyers[buyer_id] = name
        self.regulars.append(buyer_id)

    def was_said(self, show_id: str, body: str) -> bool:
        """Whether a long text stood in the show's chat lately: only a raid repeats those."""
        if len(body) < LONG_TEXT:
            return False
        lately = self.said.setdefault(show_id, deque(maxlen=200))
        if body in lately:
            return True
        lately.append(body)
        return False

    def may_go_live(self, at: datetime) -> list[Seller]:
        busy = {show.seller_id for show in self.shows.values()}
        return [
            seller
            for seller in self.sellers.values()
            if seller.trusted and seller.id not in busy and at - seller.joined_at > NEWCOMER
        ]

    def may_refund(self, sale: Sale, at: datetime) -> bool:
        recent = self.refunds.setdefault(sale.seller_id, deque(maxlen=REFUNDS_IN_TWO_HOURS))
        if sale.at >= at:
            return False
        return len(recent) < REFUNDS_IN_TWO_HOURS or at - recent[0] > timedelta(hours=2)

    def forget(self, sellers: set[str], buyers: set[str]) -> None:
        """Only these are left."""
        self.sellers = {id: seller for id, seller in self.sellers.items() if id in sellers}
        self.buyers = {id: name for id, name in self.buyers.items() if id in buyers}
        self.regulars = list(self.buyers)
        self.listings = {id: shelf for id, shelf in self.listings.items() if id in sellers}


def remembered(db: duckdb.DuckDBPyConnection) -> World:
    """The world as the tables hold it."""
    world = World()
    for row in db.execute(
        "SELECT seller_id, display_name, category, joined_at, verification = 'verified' FROM core.sellers"
    ).fetchall():
        world.sellers[row[0]] = Seller(row[0], row[1], row[2], _aware(row[3]), row[4])
    for buyer_id, name in db.execute(
        "SELECT buyer_id, display_name FROM core.buyers ORDER BY joined_at"
    ).fetchall():
        world.meet(buyer_id, name)
    for row in db.execute(
        "SELECT show_id, seller_id, category, started_at, ends_at FROM core.shows WHERE status = 'live'"
    ).fetchall():
        world.shows[row[0]] = Show(row[0], row[1], row[2], _aware(row[3]), _aware(row[4]))
    world.campaigns = [row[0] for row in db.execute(CAMPAIGNS).fetchall()]
    _remember_trade(db, world)
    for table, (column, _prefix) in PREFIXES.items():
        found = db.execute(f"SELECT max(regexp_extract({column}, '[0-9]+')::bigint) FROM {table}").fetchone()
        world.next_ids[table] = 1 + int((found and found[0]) or 0)
    return world


def _remember_trade(db: duckdb.DuckDBPyConnection, world: World) -> None:
    for seller_id, listing_id, price in db.execute(
        "SELECT seller_id, listing_id, price::double FROM core.listings "
        "WHERE status = 'active' ORDER BY listed_at"
    ).fetchall():
        world.list_item(seller_id, listing_id, price)
    for row in db.execute(
        "SELECT order_id, seller_id, buyer_id, amount::double, created_at FROM core.orders "
        "WHERE status <> 'declined' AND order_id NOT IN (SELECT order_id FROM core.refunds) "
        f"ORDER BY created_at DESC LIMIT {REMEMBERED_SALES}"
    ).fetchall()[::-1]:
        world.sales.append(Sale(row[0], row[1], row[2], row[3], _aware(row[4])))
    for seller_id, at in db.execute("SELECT seller_id, refunded_at FROM core.refunds ORDER BY 2").fetchall():
        world.refunds.setdefault(seller_id, deque(maxlen=REFUNDS_IN_TWO_HOURS)).append(_aware(at))


def handle(name: str) -> str:
    """A name as it would stand in an address."""
    return re.sub(r"[^a-z0-9]+", "", name.lower())[:16] or "shop"


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC)
