"""Planted trouble: for each policy of the catalog, rows that it has to find, by the policy's domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.demo.scene import Planted, Scene
from bot.demo.trouble import accounts, chat, listings, payments, platform, promotions, shipping

KINDS: Mapping[str, Callable[[Scene], Planted]] = {
    maker.__name__: maker
    for maker in (
        payments.off_platform_payment,
        chat.raid,
        listings.prohibited_item,
        accounts.signup_burst,
        payments.refund_spike,
        chat.harassment,
        listings.stolen_photos,
        accounts.expired_verification_live,
        payments.card_testing,
        chat.phishing_link,
        listings.price_outlier,
        accounts.new_seller_surge,
        payments.refund_after_delivery,
        listings.counterfeit_wording,
        payments.payout_account_changed,
        payments.chargeback_rate,
        payments.buys_from_self,
        payments.cash_out_before_delivery,
        payments.shared_payout_account,
        accounts.takeover,
        accounts.credential_stuffing,
        accounts.ban_evasion,
        accounts.impersonation,
        listings.charged_above_bid,
        listings.copycat_ring,
        listings.shill_bidding,
        chat.minor_contact,
        chat.doxxing,
        chat.self_harm,
        chat.report_brigade,
        shipping.never_scanned,
        shipping.tracking_reused,
        shipping.empty_box,
        promotions.coupon_ring,
        promotions.giveaway_insider,
        promotions.budget_burn,
        platform.volume_drop,
        platform.queue_backlog,
        platform.detector_stuck,
    )
}

# What puts a trouble right again when it ends, by policy; each `?` is a value of the key.
RIGHTED: Mapping[str, str] = {
    "payments.payout_account_changed": (
        "UPDATE core.sellers SET payout_account = 'verified', payout_state = 'none', payout_due = 0 "
        "WHERE seller_id = ?"
    ),
    "accounts.expired_verification_live": (
        "UPDATE core.sellers SET verification = 'verified' WHERE seller_id = ?"
    ),
    "listings.counterfeit_wording": (
        "UPDATE core.listings SET status = 'removed' WHERE status = 'active' AND seller_id = ? "
        "AND regexp_matches(lower(title || ' ' || description), 'replica|super clone|unauthorized authentic')"
    ),
    "shipping.never_scanned": (
        "UPDATE core.shipments SET first_scan_at = ships_by WHERE first_scan_at IS NULL AND seller_id = ?"
    ),
    "platform.queue_backlog": "UPDATE core.reports SET status = 'closed' WHERE status = 'open'",
}
