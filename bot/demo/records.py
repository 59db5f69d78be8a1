"""Pieces of the admin site about parcels, payouts, sign-ins, reports, bids, coupons; only what there is."""

from __future__ import annotations

from collections.abc import Iterator

from bot.demo.market import Market
from bot.demo.markup import facts, page, table

OF_A_SELLER = (
    (
        "Parcels",
        ("Label", "Order", "Number", "Declared g", "Weighed g", "Promised", "First scan"),
        "SELECT label_at, order_id, tracking_number, declared_grams, weighed_grams, ships_by, first_scan_at "
        "FROM core.shipments WHERE seller_id = ? ORDER BY updated_at DESC LIMIT 12",
    ),
    (
        "Payouts",
        ("Paid", "Bank account", "Amount"),
        "SELECT paid_at, bank_account, amount FROM core.payouts WHERE seller_id = ? "
        "ORDER BY paid_at DESC LIMIT 8",
    ),
    (
        "Disputes",
        ("Opened", "Order", "Buyer", "Amount", "Reason"),
        "SELECT opened_at, order_id, buyer_id, amount, reason FROM core.disputes WHERE seller_id = ? "
        "ORDER BY opened_at DESC LIMIT 15",
    ),
    (
        "Bids in the shop",
        ("Placed", "Listing", "Bidder", "Amount"),
        "SELECT placed_at, listing_id, bidder_id, amount FROM core.bids WHERE seller_id = ? "
        "ORDER BY placed_at DESC LIMIT 12",
    ),
    (
        "Giveaways",
        ("Drawn", "Winner", "Worth"),
        "SELECT drawn_at, winner_id, prize_value FROM core.giveaways WHERE seller_id = ? "
        "ORDER BY drawn_at DESC LIMIT 10",
    ),
)
OF_A_PERSON = (
    (
        "Sign-ins and changes",
        ("When", "What", "Device", "Address"),
        "SELECT happened_at, replace(kind, '_', ' '), device_id, ip FROM core.account_events "
        "WHERE account_id = ? ORDER BY happened_at DESC LIMIT 12",
    ),
    (
        "Reported by",
        ("When", "Who", "For", "State"),
        "SELECT reported_at, reporter_id, reason, status FROM core.reports WHERE target_id = ? "
        "ORDER BY reported_at DESC LIMIT 12",
    ),
)
OF_A_DEVICE = (
    (
        "Banned on it",
        ("When", "Account", "For"),
        "SELECT banned_at, account_id, reason FROM vetted.banned_devices WHERE device_id = ? ORDER BY 1 DESC",
    ),
    (
        "Coupons redeemed",
        ("When", "Coupon", "Account", "Amount"),
        "SELECT redeemed_at, coupon, buyer_id, amount FROM core.redemptions WHERE device_id = ? "
        "ORDER BY redeemed_at DESC LIMIT 20",
    ),
)


def of_a_seller(market: Market, seller_id: str) -> list[str]:
    return [*_tables(market, OF_A_SELLER, seller_id), *of_a_person(market, seller_id)]


def of_a_person(market: Market, account_id: str) -> list[str]:
    return list(_tables(market, OF_A_PERSON, account_id))


def of_a_device(market: Market, device_id: str) -> list[str]:
    return list(_tables(market, OF_A_DEVICE, device_id))


def address(market: Market, ip: str) -> str | None:
    rows = market.read(
        "SELECT happened_at, account_id, replace(kind, '_', ' '), device_id FROM core.account_events "
        "WHERE ip = ? ORDER BY happened_at DESC LIMIT 80",
        [ip],
    )
    return (
        page("Address", ip, table("Tried here", ("When", "Account", "What", "Device"), rows))
        if rows
        else None
    )


def campaign(market: Market, campaign_id: str) -> str | None:
    found = market.read(
        "SELECT title, budget, starts_at, ends_at FROM core.campaigns WHERE campaign_id = ?", [campaign_id]
    )
    if not found:
        return None
    title, budget, starts, ends = found[0]
    spent = market.read(
        "SELECT coalesce(sum(amount), 0)::decimal(12,2) FROM core.redemptions WHERE campaign_id = ?",
        [campaign_id],
    )[0][0]
    rows = market.read(
        "SELECT redeemed_at, coupon, buyer_id, device_id, amount FROM core.redemptions "
        "WHERE campaign_id = ? ORDER BY redeemed_at DESC LIMIT 30",
        [campaign_id],
    )
    return page(
        "Campaign",
        title,
        facts((("Id", campaign_id), ("Budget", budget), ("Spent", spent), ("Began", starts), ("Ends", ends))),
        table("Redeemed", ("When", "Coupon", "Buyer", "Device", "Amount"), rows, "Nothing yet."),
    )


def _tables(
    market: Market, wanted: tuple[tuple[str, tuple[str, ...], str], ...], value: str
) -> Iterator[str]:
    for title, heads, sql in wanted:
        if rows := market.read(sql, [value]):
            yield table(title, heads, rows)
