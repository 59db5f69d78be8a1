"""The pages of the admin site: what is known of a seller, a buyer, a listing, a show or a device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.demo import holds, records
from bot.demo.market import Market
from bot.demo.markup import Markup, badge, facts, page, picture, table

ORDERS = (
    "SELECT created_at, order_id, {who}, listing_id, amount, status FROM core.orders "
    "WHERE {by} = ? ORDER BY created_at DESC LIMIT 15"
)
REFUNDS = (
    "SELECT refunded_at, order_id, {who}, amount, reason FROM core.refunds "
    "WHERE {by} = ? ORDER BY refunded_at DESC LIMIT 15"
)
CHAT = (
    "SELECT sent_at, {who}, body FROM core.chat_messages WHERE {by} = ? "
    "ORDER BY sent_at DESC, message_id DESC LIMIT 20"
)
LISTED = "SELECT image_hash, listing_id, title, price, status, listed_at FROM core.listings "
STATUS = {
    "delivered": "good",
    "paid": "calm",
    "shipped": "calm",
    "declined": "bad",
    "active": "good",
    "removed": "bad",
    "live": "bad",
    "ended": "calm",
    "running": "odd",
    "succeeded": "good",
    "failed": "bad",
}
Rows = list[tuple[Any, ...]]


def seller(market: Market, seller_id: str) -> str | None:
    found = market.read("SELECT * FROM core.sellers WHERE seller_id = ?", [seller_id])
    if not found:
        return None
    _, name, country, category, joined, verification, account, payouts, due = found[0]
    held = holds.ask(
        market.folder,
        "SELECT held_at, reason FROM payout_holds WHERE seller_id = ? ORDER BY held_at DESC",
        [seller_id],
    )
    held = [(datetime.fromisoformat(at), reason) for at, reason in held]
    badges = [
        badge("Verified", "good") if verification == "verified" else badge("Verification expired", "bad"),
        *([badge("Payout account changed", "odd")] if account == "changed" else []),
        *([badge("Payouts held", "bad")] if held else []),
    ]
    about = facts(
        (
            ("Id", seller_id),
            ("Sells", category),
            ("Country", country),
            ("Joined", joined.date()),
            ("Payouts", "held" if held else payouts),
            ("Due", due),
            ("Orders, 24 h", _count(market, "core.orders", "seller_id", seller_id, "created_at")),
            ("Refunds, 24 h", _count(market, "core.refunds", "seller_id", seller_id, "refunded_at")),
        )
    )
    return page(
        "Seller",
        name,
        about,
        *([table("Payout holds", ("Held", "Reason"), held)] if held else []),
        _risk(market, seller_id),
        _trade(market, "seller_id", seller_id, "buyer_id", "Buyer"),
        _chat(market, "Chat in the seller's shows", "seller_id", seller_id, "author_id"),
        _shelf(market, "seller_id = ? ORDER BY listed_at DESC LIMIT 12", [seller_id]),
        _shows(market, seller_id),
        *records.of_a_seller(market, seller_id),
        badges=badges,
    )


def buyer(market: Market, buyer_id: str) -> str | None:
    found = market.read(
        "SELECT display_name, country, joined_at FROM core.buyers WHERE buyer_id = ?", [buyer_id]
    )
    if not found:
        return None
    name, country, joined = found[0]
    signups = market.read(
        "SELECT signed_up_at, email, device_id, ip FROM core.signups WHERE account_id = ?", [buyer_id]
    )
    spent = market.read(
        "SELECT coalesce(sum(amount), 0)::decimal(12,2) FROM core.orders "
        "WHERE buyer_id = ? AND status <> 'declined'",
        [buyer_id],
    )[0][0]
    return page(
        "Buyer",
        name,
        facts((("Id", buyer_id), ("Country", country), ("Joined", joined.date()), ("Spent", spent))),
        _trade(market, "buyer_id", buyer_id, "seller_id", "Seller"),
        _chat(market, "Wrote", "author_id", buyer_id, "show_id"),
        table("Signed up", ("When", "Email", "Device", "Address"), signups, "Before we kept sign-ups."),
        *records.of_a_person(market, buyer_id),
    )


def listing(market: Market, listing_id: str) -> str | None:
    found = market.read("SELECT * FROM core.listings WHERE listing_id = ?", [listing_id])
    if not found:
        return None
    _, seller_id, category, title, description, price, image, status, listed = found[0]
    usual = market.read(
        "SELECT median(price)::decimal(12,2) FROM core.listings WHERE category = ?", [category]
    )[0][0]
    return page(
        "Listing",
        title,
        picture(image, large=True).text,
        facts(
            (
                ("Id", listing_id),
                ("Seller", seller_id),
                ("Price", price),
                (f"Usual in {category}", usual),
                ("Listed", listed),
                ("Description", description),
            )
        ),
        table(
            "The same picture elsewhere",
            ("", "Listing", "Seller", "Title", "Listed"),
            _pictured(
                market.read(
                    "SELECT image_hash, listing_id, seller_id, title, listed_at FROM core.listings "
                    "WHERE image_hash = ? AND listing_id <> ? ORDER BY listed_at LIMIT 10",
                    [image, listing_id],
                )
            ),
            "Nowhere.",
        ),
        _orders(market, "listing_id", listing_id, "buyer_id", "Buyer"),
        badges=[badge(status, STATUS[status])],
    )


def show(market: Market, show_id: str) -> str | None:
    found = market.read("SELECT * FROM core.shows WHERE show_id = ?", [show_id])
    if not found:
        return None
    _, seller_id, title, category, status, started, ends = found[0]
    return page(
        "Show",
        title,
        facts(
            (("Id", show_id), ("Host", seller_id), ("Sells", category), ("Began", started), ("Ends", ends))
        ),
        _chat(market, "Chat", "show_id", show_id, "author_id"),
        _orders(market, "show_id", show_id, "buyer_id", "Buyer"),
        badges=[badge(status, STATUS[status])],
    )


def device(market: Market, device_id: str) -> str | None:
    rows = market.read(
        "SELECT signed_up_at, account_id, email, ip FROM core.signups WHERE device_id = ? "
        "ORDER BY signed_up_at DESC LIMIT 50",
        [device_id],
    )
    more = records.of_a_device(market, device_id)
    if not rows and not more:
        return None
    heads = ("When", "Account", "Email", "Address")
    return page("Device", device_id, table("Accounts opened here", heads, rows, "None."), *more)


def home(market: Market) -> str:
    live = market.read(
        "SELECT show_id, title, seller_id, started_at, ends_at FROM core.shows "
        "WHERE status = 'live' ORDER BY started_at DESC"
    )
    orders = market.read(
        "SELECT created_at, order_id, seller_id, buyer_id, amount, status FROM core.orders "
        "ORDER BY created_at DESC LIMIT 15"
    )
    return page(
        "Marketplace",
        "Right now",
        table("Live shows", ("Show", "Title", "Host", "Began", "Ends"), live),
        table("Latest orders", ("When", "Order", "Seller", "Buyer", "Amount", ""), _marked(orders)),
    )


def missing(what: str) -> str:
    return page("Not here", what, '<p class="none">Nothing is known under this id, or not any more.</p>')


PAGES: Mapping[str, Callable[[Market, str], str | None]] = {
    "sellers": seller,
    "buyers": buyer,
    "listings": listing,
    "shows": show,
    "devices": device,
    "addresses": records.address,
    "campaigns": records.campaign,
}


def _trade(market: Market, by: str, value: str, who: str, who_head: str) -> str:
    refunds = market.read(REFUNDS.format(by=by, who=who), [value])
    return _orders(market, by, value, who, who_head) + table(
        "Refunds", ("When", "Order", who_head, "Amount", "Reason"), refunds, "None."
    )


def _orders(market: Market, by: str, value: str, who: str, who_head: str) -> str:
    rows = market.read(ORDERS.format(by=by, who=who), [value])
    return table("Orders", ("When", "Order", who_head, "Listing", "Amount", ""), _marked(rows), "None.")


def _chat(market: Market, title: str, by: str, value: str, who: str) -> str:
    rows = market.read(CHAT.format(by=by, who=who), [value])
    return table(title, ("When", "Show" if who == "show_id" else "Who", "Message"), rows, "Silence.")


def _shelf(market: Market, condition: str, values: Sequence[object]) -> str:
    rows = market.read(f"{LISTED} WHERE {condition}", values)
    return table("Listings", ("", "Listing", "Title", "Price", "Status", "Listed"), _pictured(rows), "None.")


def _shows(market: Market, seller_id: str) -> str:
    rows = market.read(
        "SELECT started_at, show_id, title, status FROM core.shows WHERE seller_id = ? "
        "ORDER BY started_at DESC LIMIT 8",
        [seller_id],
    )
    return table("Shows", ("Began", "Show", "Title", ""), _marked(rows), "None yet.")


def _risk(market: Market, seller_id: str) -> str:
    runs = holds.ask(
        market.folder,
        "SELECT datetime(started_at, 'unixepoch'), id, before, after, failure FROM risk_runs "
        "WHERE seller_id = ? ORDER BY id DESC LIMIT 5",
        [seller_id],
    )
    told = [
        (datetime.fromisoformat(at), text)
        for at, text in holds.ask(
            market.folder,
            "SELECT sent_at, body FROM notices WHERE seller_id = ? ORDER BY id DESC LIMIT 5",
            [seller_id],
        )
    ]
    scored = [
        (datetime.fromisoformat(at), str(run), f"{before:.2f}", failure or f"{after:.2f}")
        for at, run, before, after, failure in runs
    ]
    return (table("Risk", ("Asked", "Run", "Before", "After"), scored) if scored else "") + (
        table("Notices sent", ("When", "Text"), told) if told else ""
    )


def _count(market: Market, table_name: str, by: str, value: str, time: str) -> int:
    sql = (
        f"SELECT count(*) FROM {table_name} WHERE {by} = ? "
        f"AND {time} > (SELECT max({time}) FROM {table_name}) - INTERVAL 24 HOUR"
    )
    return int(market.read(sql, [value])[0][0])


def _pictured(rows: Rows) -> Rows:
    return [(picture(row[0]), *row[1:]) for row in rows]


def _marked(rows: Rows) -> Rows:
    """The last column, a status, as a badge."""
    return [(*row[:-1], _status(row[-1])) for row in rows]


def _status(word: str) -> Markup:
    return badge(word, STATUS.get(word, "calm"))
