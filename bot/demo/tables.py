"""The marketplace's tables: their columns, and how many rows of each stay. Nothing is done here."""

from __future__ import annotations

from collections.abc import Mapping

TABLES: Mapping[str, Mapping[str, str]] = {
    "core.sellers": {
        "seller_id": "varchar",
        "display_name": "varchar",
        "country": "varchar",
        "category": "varchar",
        "joined_at": "timestamp",
        "verification": "varchar",  # verified | expired
        "payout_account": "varchar",  # verified | changed
        "payout_state": "varchar",  # none | scheduled | held
        "payout_due": "decimal(12,2)",
    },
    "core.buyers": {
        "buyer_id": "varchar",
        "display_name": "varchar",
        "country": "varchar",
        "joined_at": "timestamp",
    },
    "core.shows": {
        "show_id": "varchar",
        "seller_id": "varchar",
        "title": "varchar",
        "category": "varchar",
        "status": "varchar",  # live | ended
        "started_at": "timestamp",
        "ends_at": "timestamp",  # planned
    },
    "core.listings": {
        "listing_id": "varchar",
        "seller_id": "varchar",
        "category": "varchar",
        "title": "varchar",
        "description": "varchar",
        "price": "decimal(12,2)",
        "image_hash": "varchar",
        "status": "varchar",  # active | removed
        "listed_at": "timestamp",
    },
    "core.orders": {
        "order_id": "varchar",
        "seller_id": "varchar",
        "buyer_id": "varchar",
        "listing_id": "varchar",
        "show_id": "varchar",
        "amount": "decimal(12,2)",
        "status": "varchar",  # paid | shipped | delivered | declined
        "created_at": "timestamp",
    },
    "core.refunds": {
        "refund_id": "varchar",
        "order_id": "varchar",
        "seller_id": "varchar",
        "buyer_id": "varchar",
        "amount": "decimal(12,2)",
        "reason": "varchar",
        "refunded_at": "timestamp",
    },
    "core.chat_messages": {
        "message_id": "varchar",
        "show_id": "varchar",
        "author_id": "varchar",
        "seller_id": "varchar",
        "body": "varchar",
        "sent_at": "timestamp",
    },
    "core.signups": {
        "signup_id": "varchar",
        "account_id": "varchar",
        "email": "varchar",
        "device_id": "varchar",
        "ip": "varchar",
        "signed_up_at": "timestamp",
    },
    "core.disputes": {
        "dispute_id": "varchar",
        "order_id": "varchar",
        "seller_id": "varchar",
        "buyer_id": "varchar",
        "amount": "decimal(12,2)",
        "reason": "varchar",
        "opened_at": "timestamp",
    },
    "core.payouts": {
        "payout_id": "varchar",
        "seller_id": "varchar",
        "bank_account": "varchar",
        "amount": "decimal(12,2)",
        "paid_at": "timestamp",
    },
    "core.account_events": {
        "event_id": "varchar",
        "account_id": "varchar",
        "kind": "varchar",
        "device_id": "varchar",
        "ip": "varchar",
        "happened_at": "timestamp",
    },
    "core.bids": {
        "bid_id": "varchar",
        "show_id": "varchar",
        "listing_id": "varchar",
        "seller_id": "varchar",
        "bidder_id": "varchar",
        "amount": "decimal(12,2)",
        "placed_at": "timestamp",
    },
    "core.reports": {
        "report_id": "varchar",
        "reporter_id": "varchar",
        "target_id": "varchar",
        "show_id": "varchar",
        "reason": "varchar",
        "status": "varchar",  # open | closed
        "reported_at": "timestamp",
    },
    "core.shipments": {
        "shipment_id": "varchar",
        "order_id": "varchar",
        "seller_id": "varchar",
        "buyer_id": "varchar",
        "tracking_number": "varchar",
        "declared_grams": "integer",
        "weighed_grams": "integer",
        "label_at": "timestamp",
        "ships_by": "timestamp",
        "first_scan_at": "timestamp",
        "updated_at": "timestamp",
    },
    "core.campaigns": {
        "campaign_id": "varchar",
        "title": "varchar",
        "budget": "decimal(12,2)",
        "starts_at": "timestamp",
        "ends_at": "timestamp",
    },
    "core.redemptions": {
        "redemption_id": "varchar",
        "campaign_id": "varchar",
        "coupon": "varchar",
        "buyer_id": "varchar",
        "device_id": "varchar",
        "amount": "decimal(12,2)",
        "redeemed_at": "timestamp",
    },
    "core.giveaways": {
        "giveaway_id": "varchar",
        "show_id": "varchar",
        "seller_id": "varchar",
        "winner_id": "varchar",
        "prize_value": "decimal(12,2)",
        "drawn_at": "timestamp",
    },
    "core.scores": {
        "score_id": "varchar",
        "model": "varchar",
        "subject_id": "varchar",
        "score": "double",
        "scored_at": "timestamp",
    },
    "vetted.banned_devices": {
        "device_id": "varchar",
        "account_id": "varchar",
        "reason": "varchar",
        "banned_at": "timestamp",
    },
    "market.planted": {  # the market's own memory; no policy may read it
        "planted_at": "timestamp",
        "policy": "varchar",
        "key": "varchar",  # JSON
        "row_ids": "varchar",  # JSON
        "ends_at": "timestamp",  # when the trouble is put right; null: nothing to put right
    },
}

# How many of the newest rows stay, by the column that says which those are. Days of running stay small.
KEEP: Mapping[str, tuple[str, int]] = {
    "core.sellers": ("joined_at", 500),
    "core.buyers": ("joined_at", 4_000),
    "core.shows": ("started_at", 1_500),
    "core.listings": ("listed_at", 5_000),
    "core.orders": ("created_at", 10_000),
    "core.refunds": ("refunded_at", 2_000),
    "core.chat_messages": ("sent_at", 16_000),
    "core.signups": ("signed_up_at", 4_000),
    "core.disputes": ("opened_at", 60),  # like the orders, a day or two: rates compare them
    "core.payouts": ("paid_at", 600),
    "core.account_events": ("happened_at", 6_000),
    "core.bids": ("placed_at", 10_000),
    "core.reports": ("reported_at", 1_500),
    "core.shipments": ("updated_at", 2_500),
    "core.campaigns": ("starts_at", 60),
    "core.redemptions": ("redeemed_at", 3_000),
    "core.giveaways": ("drawn_at", 800),
    "core.scores": ("scored_at", 3_000),
    "vetted.banned_devices": ("banned_at", 200),
    "market.planted": ("planted_at", 2_000),
}
