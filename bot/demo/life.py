"""Ordinary life: shows, chat, orders, refunds, listings and sign-ups at a daily rhythm. No trouble here."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta

from bot.demo import words
from bot.demo.office import Office
from bot.demo.schema import Batch
from bot.demo.world import Sale, Seller, Show, World, handle

# A minute at the busiest hour.
CHAT, ORDERS, REFUNDS, LISTINGS, SIGNUPS, SELLERS = 40.0, 6.0, 0.5, 2.0, 1.5, 0.02
SHOWS = 8  # live at once at the busiest hour
FEWEST_SHOWS = 4
MOST_SELLERS = 300
BUSIEST_HOUR = 20
LOWEST_PRICE, HIGHEST_PRICE = 0.45, 2.4  # of what such a thing usually costs


class Life:
    """Makes the rows of a stretch of time, a short step after another."""

    def __init__(self, world: World, batch: Batch, rng: random.Random) -> None:
        self.world, self.batch, self.rng = world, batch, rng
        self.office = Office(world, batch, rng)

    def go_on(self, start: datetime, end: datetime, *, density: float, step: timedelta) -> None:
        """Life in (start, end], at `density` of the full rate."""
        while start < end:
            until = min(start + step, end)
            self._step(start, until, density)
            start = until

    def _step(self, start: datetime, end: datetime, density: float) -> None:
        minutes = (end - start).total_seconds() / 60 * density * rhythm(end)
        self._run_shows(start, end)
        for rate, happen in (
            (SELLERS, self._seller_joins),
            (SIGNUPS, self._sign_up),
            (LISTINGS, self._list),
            (ORDERS, self._order),
            (REFUNDS, self._refund),
            (CHAT, self._chat),
        ):
            for _ in range(poisson(self.rng, rate * minutes)):
                happen(start + (end - start) * (1 - self.rng.random()))
        chance = self.office.rng
        for rate, record in self.office.rates():
            for _ in range(poisson(chance, rate * minutes)):
                record(start + (end - start) * (1 - chance.random()))

    # people

    def begin(self, at: datetime, sellers: int, buyers: int) -> None:
        """The people who were there before the history starts, and what they have to sell."""
        for number in range(sellers):
            joined = at - timedelta(days=self.rng.uniform(9, 700))
            name = words.HOSTILE_NAMES[number // 13 % 7] if number % 13 == 5 else None
            seller = self.join(joined, name)
            for _ in range(self.rng.randint(5, 12)):
                self._list(at + timedelta(hours=self.rng.uniform(0, 20)), seller)
        for _ in range(buyers):
            self.buyer(at - timedelta(days=self.rng.uniform(1, 900)))
        self.office.begin(at)

    def join(self, at: datetime, name: str | None = None) -> Seller:
        category = self.rng.choice(list(words.CATEGORIES))
        shop = self.rng.choice(words.CATEGORIES[category].shops)
        name = name or f"{self._first_name()} {shop}"
        seller = Seller(self.world.id("core.sellers"), name, category, at)
        self.world.sellers[seller.id] = seller
        waiting = self.rng.random() < 0.5
        self.batch.add(
            "core.sellers",
            seller_id=seller.id,
            display_name=name,
            country=self.rng.choice(words.COUNTRIES),
            category=category,
            joined_at=at,
            verification="verified",
            # a changed account is nothing by itself: here it never comes with much money waiting
            payout_account="changed" if not waiting and self.rng.random() < 0.15 else "verified",
            payout_state="scheduled" if waiting else "none",
            payout_due=round(self.rng.uniform(40, 6_000), 2)
            if waiting
            else round(self.rng.uniform(0, 200), 2),
        )
        return seller

    def _seller_joins(self, at: datetime) -> None:
        if len(self.world.sellers) < MOST_SELLERS:
            self._list(at, self.join(at))

    def _first_name(self) -> str:
        return self.rng.choice(words.FIRST_NAMES)

    def buyer(self, at: datetime, name: str | None = None) -> str:
        buyer_id = self.world.id("core.buyers")
        name = name or f"{self._first_name()} {self.rng.choice(words.LAST_LETTERS)}."
        self.world.meet(buyer_id, name)
        self.batch.add(
            "core.buyers",
            buyer_id=buyer_id,
            display_name=name,
            country=self.rng.choice(words.COUNTRIES),
            joined_at=at,
        )
        return buyer_id

    def _sign_up(self, at: datetime) -> None:
        device = f"d_{self.rng.getrandbits(40):010x}"
        ip = ".".join(str(self.rng.randint(1, 254)) for _ in range(4))
        self.sign_up(at, device, ip)

    def sign_up(self, at: datetime, device: str, ip: str) -> tuple[str, str]:
        """A new buyer; the ids of the sign-up and of the account."""
        account = self.buyer(at)
        signup = self.world.id("core.signups")
        name = handle(self.world.buyers[account]) + str(self.rng.randint(1, 999))
        email = f"{name}@{self.rng.choice(words.MAIL_HOSTS)}"
        self.batch.add(
            "core.signups",
            signup_id=signup,
            account_id=account,
            email=email,
            device_id=device,
            ip=ip,
            signed_up_at=at,
        )
        return signup, account

    # shows

    def _run_shows(self, start: datetime, end: datetime) -> None:
        for show in [show for show in self.world.shows.values() if show.ends_at <= end]:
            del self.world.shows[show.id]
            self.world.said.pop(show.id, None)
        wanted = max(FEWEST_SHOWS, round(SHOWS * rhythm(end)))
        while len(self.world.shows) < wanted and (free := self.world.may_go_live(end)):
            seller = self.rng.choices(free, [seller.weight for seller in free])[0]
            at = start + (end - start) * self.rng.random()
            self.go_live(seller, at, timedelta(minutes=self.rng.uniform(35, 140)))

    def go_live(self, seller: Seller, at: datetime, length: timedelta) -> Show:
        show = Show(self.world.id("core.shows"), seller.id, seller.category, at, at + length)
        self.world.shows[show.id] = show
        title = self._say(self.rng.choice(words.SHOW_TITLES), seller.category)
        self.batch.add(
            "core.shows",
            show_id=show.id,
            seller_id=seller.id,
            title=title,
            category=seller.category,
            status="live",
            started_at=at,
            ends_at=show.ends_at,
        )
        return show

    def a_show(self) -> Show | None:
        shows = list(self.world.shows.values())
        if not shows:
            return None
        return self.rng.choices(shows, [self.world.sellers[show.seller_id].weight for show in shows])[0]

    # trade

    def _list(self, at: datetime, seller: Seller | None = None) -> None:
        seller = seller or self.rng.choice(list(self.world.sellers.values()))
        usual = words.CATEGORIES[seller.category].price
        share = min(HIGHEST_PRICE, max(LOWEST_PRICE, self.rng.lognormvariate(0, 0.35)))
        self.list_item(seller, at, price=round(usual * share, 2))

    def list_item(
        self,
        seller: Seller,
        at: datetime,
        *,
        price: float,
        title: str = "",
        description: str = "",
        image: str = "",
    ) -> str:
        kind = words.CATEGORIES[seller.category]
        listing_id = self.world.id("core.listings")
        self.world.list_item(seller.id, listing_id, price)
        self.batch.add(
            "core.listings",
            listing_id=listing_id,
            seller_id=seller.id,
            category=seller.category,
            title=title or f"{self.rng.choice(kind.makers)} {self.rng.choice(kind.things)}",
            description=description
            or f"{self.rng.choice(kind.states)}, ships in {self.rng.randint(1, 3)} days",
            price=price,
            image_hash=image or f"{self.rng.getrandbits(64):016x}",
            status="active",
            listed_at=at,
        )
        return listing_id

    def _order(self, at: datetime) -> None:
        show = self.a_show()
        item = show and self.world.item(self.rng, show.seller_id)
        if not show or not item or not self.world.buyers:
            return
        price, buyer_id = max(4.0, item[1] * self.rng.uniform(0.8, 1.25)), self.world.buyer(self.rng)
        self.office.bid(at, show, item[0], buyer_id, price)  # the bid that wins
        self.order(at, show.seller_id, buyer_id, price, item[0], show.id)

    def order(
        self,
        at: datetime,
        seller_id: str,
        buyer_id: str,
        amount: float,
        listing_id: str | None,
        show_id: str | None,
        status: str = "paid",
    ) -> str:
        order_id = self.world.id("core.orders")
        amount = round(amount, 2)
        if status != "declined":
            self.world.sales.append(Sale(order_id, seller_id, buyer_id, amount, at))
        self.batch.add(
            "core.orders",
            order_id=order_id,
            seller_id=seller_id,
            buyer_id=buyer_id,
            listing_id=listing_id,
            show_id=show_id,
            amount=amount,
            status=status,
            created_at=at,
        )
        return order_id

    def _refund(self, at: datetime) -> None:
        sales = self.world.sales
        if not sales or not self.world.may_refund(sale := self.rng.choice(sales), at):
            return
        sales.remove(sale)
        self.world.refunds[sale.seller_id].append(at)
        # what has been delivered has been received: "not received" is for trouble
        self.refund(at, sale, self.rng.choice(words.REFUND_REASONS[:-1]))

    def refund(self, at: datetime, sale: Sale, reason: str) -> str:
        refund_id = self.world.id("core.refunds")
        self.batch.add(
            "core.refunds",
            refund_id=refund_id,
            order_id=sale.order_id,
            seller_id=sale.seller_id,
            buyer_id=sale.buyer_id,
            amount=sale.amount,
            reason=reason,
            refunded_at=at,
        )
        return refund_id

    # chat

    def _chat(self, at: datetime) -> None:
        show = self.a_show()
        if show is None or not self.world.buyers:
            return
        if self.rng.random() < 0.12:
            self.say(at, show, show.seller_id, self._say(self.rng.choice(words.HOST_CHAT), show.category))
            return
        texts = words.HOSTILE_CHAT if self.rng.random() < 0.02 else words.CHAT
        text = self.rng.choice(texts)
        body = text if texts is words.HOSTILE_CHAT else self._say(text, show.category)
        if not self.world.was_said(show.id, body):
            self.say(at, show, self.world.buyer(self.rng), body)

    def say(self, at: datetime, show: Show, author_id: str, body: str) -> str:
        message_id = self.world.id("core.chat_messages")
        self.batch.add(
            "core.chat_messages",
            message_id=message_id,
            show_id=show.id,
            author_id=author_id,
            seller_id=show.seller_id,
            body=body,
            sent_at=at,
        )
        return message_id

    def _say(self, text: str, category: str) -> str:
        kind = words.CATEGORIES[category]
        return text.format(
            category=category,
            maker=self.rng.choice(kind.makers),
            thing=self.rng.choice(kind.things),
            place=self.rng.choice(words.PLACES),
            name=self._first_name(),
            n=self.rng.randint(2, 60),
        )


def rhythm(at: datetime) -> float:
    """How busy the hour is, 0.4 to 1."""
    return 0.7 + 0.3 * math.cos((at.hour + at.minute / 60 - BUSIEST_HOUR) / 12 * math.pi)


def poisson(rng: random.Random, mean: float) -> int:
    """How many happen when `mean` are expected."""
    limit, count, product = math.exp(-min(mean, 500)), 0, rng.random()
    while product > limit:
        count, product = count + 1, product * rng.random()
    return count
