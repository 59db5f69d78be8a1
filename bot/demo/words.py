"""What people of the marketplace are called, sell and say. Texts only; nothing chooses here.

The text is hostile on purpose, here and there: markup, mentions, links, writing direction, very long words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

# fmt: off
FIRST_NAMES = (
    "Ana", "Bo", "Cy", "Dee", "Eli", "Fay", "Gus", "Hana", "Ira", "Jun", "Kai", "Lea", "Mo", "Nia",
    "Oz", "Pia", "Quin", "Rae", "Sol", "Tess", "Uma", "Vic", "Wren", "Xan", "Yuki", "Zed", "Amir",
    "Bea", "Carlos", "Dora", "Emre", "Freya", "Gil", "Hugo", "Ines", "Jonas", "Kofi", "Lena",
    "Marta", "Nils", "Odette", "Pablo", "Rosa", "Sami", "Tara", "Ugo",
)
# fmt: on
LAST_LETTERS = "ABCDEFGHJKLMNPRSTVW"
COUNTRIES = ("US", "US", "US", "US", "CA", "GB", "DE", "FR", "AU", "JP")
MAIL_HOSTS = ("mail.example", "post.example", "inbox.example", "letters.example")


class Category(NamedTuple):
    """What a seller sells: the words of a title in three parts, and what such a thing usually costs."""

    makers: tuple[str, ...]
    things: tuple[str, ...]
    states: tuple[str, ...]
    price: float
    shops: tuple[str, ...]


CATEGORIES: Mapping[str, Category] = {
    "trading cards": Category(
        ("1999 holo", "Rookie", "First edition", "Graded 9", "Shadowless", "Japanese promo", "Numbered /99"),
        ("dragon card", "shortstop card", "booster pack", "starter lot", "point guard card", "binder page"),
        ("near mint", "light play", "sealed", "slabbed", "raw"),
        38.0,
        ("Cards", "Breaks", "Pulls", "Slabs"),
    ),
    "sneakers": Category(
        ("Retro high", "Low top", "Trail", "Court classic", "Runner 90", "Skate mid", "Collab"),
        ("chalk pair", "bred pair", "moss pair", "royal blue pair", "bone pair", "panda pair"),
        ("size 9", "size 10.5", "size 8", "worn twice", "deadstock", "no box"),
        145.0,
        ("Kicks", "Soles", "Laces", "Heat"),
    ),
    "vintage": Category(
        ("90s tour", "70s western", "Faded college", "Single stitch", "Made in USA", "Workwear"),
        ("tee", "denim jacket", "crewneck", "chore coat", "snapback", "flannel"),
        ("medium", "large", "boxy XL", "small flaws", "great fade"),
        44.0,
        ("Vintage", "Thrift", "Rack", "Archive"),
    ),
    "watches": Category(
        ("Manual wind", "Field", "Dive", "Quartz", "Two-tone", "Moonphase"),
        ("dress watch", "chronograph", "tool watch", "pocket watch", "36 mm", "tank"),
        ("serviced", "runs well", "box and papers", "new strap", "patina"),
        260.0,
        ("Time", "Dials", "Movements", "Wrist"),
    ),
    "comics": Category(
        ("Silver age", "Bronze age", "Newsstand", "Variant cover", "First print", "Key issue"),
        ("space saga #12", "detective #88", "mutants #4", "horror annual", "manga box set", "zine bundle"),
        ("fine", "very good", "bagged and boarded", "reader copy", "9.2"),
        22.0,
        ("Comics", "Panels", "Longbox", "Inks"),
    ),
    "toys": Category(
        ("Boxed", "Loose", "Die-cast", "Retired", "Blind box", "Wind-up"),
        ("robot", "brick castle", "racer", "plush fox", "spaceship", "doll house"),
        ("complete", "missing one piece", "sealed", "shelf wear", "works"),
        31.0,
        ("Toys", "Attic", "Bricks", "Playroom"),
    ),
}

HOSTILE_NAMES = (
    "<!channel> Mega Deals",
    "*Bold* & <b>Kicks</b>",
    "<@U0ANA> Official",
    "Cards | Coins | `rm -rf`",
    "\u202eskciK dneirF",
    "Supercalifragilistic" * 3,
    "Ω≈ç√ 🧿🧿 Archive",
)

SHOW_TITLES = (
    "Friday night {category}",
    "{category} from $1",
    "Slow morning, good {category}",
    "{category}: pick your number",
    "New haul, no reserve",
    "Giveaway every 20 min",
    "Back room {category}",
    "{maker} hour",
)

CHAT = (
    "hi from {place}",
    "how much is shipping to {place}?",
    "{place} here, do you ship?",
    "that {thing} is clean",
    "is the {thing} still up?",
    "LFG 🔥🔥🔥",
    "W",
    "🔥🔥🔥",
    "😂😂",
    "W pull",
    "what size is that one",
    "can you show the back please",
    "any flaws on the {thing}?",
    "just got my order from last week, packed so well, thank you!!",
    "first time here, how does bidding work",
    "sniped again lol",
    "can I combine with my order from earlier?",
    "{n} more minutes right?",
    "oh no I missed it",
    "I will take it for {n}",
    "go {n} {n} {n}",
    "run the {thing} back",
    "love this show",
    "volume is a little low",
    "you are lagging",
    "whats the story on the {thing}",
    "do you take paypal or only in the app?",
    "who won the giveaway",
    "gg {name}",
    "{name} you got that one for a steal",
    "congrats {name}!",
    "my kid would love the {thing}",
    "is that {maker} or later?",
    "need that {maker} one so bad",
    "payday friday please be here friday",
    "third {thing} tonight, who is counting",
    "brb dinner",
    "thanks for the follow",
    "shipping was 3 days to {place}, not bad",
    "can you hold one until I finish work?",
    "that color though",
    "bid war!!",
    "not me spending rent on {thing}s",
    "do you have more {maker} ones?",
    "the {thing} I bought was not as described but you refunded quick, respect",
)

HOST_CHAT = (
    "welcome in {name}!",
    "next up: {maker} {thing}",
    "starting at one dollar, no reserve",
    "sold! congrats {name}",
    "I combine shipping on everything tonight",
    "giveaway in {n} minutes, stay close",
    "turn on notifications so you do not miss Sunday",
    "yes we ship to {place}",
)

PLACES = ("Ohio", "Toronto", "Leeds", "Texas", "Berlin", "Perth", "Lyon", "Oregon", "Osaka", "New Jersey")

HOSTILE_CHAT = (
    "<!channel> everybody look <!here>",
    "<@U0ANA> is the host? <@U0BO>",
    "*bold* _slanted_ ~gone~ `code` ```block```",
    "<https://prizes.example/win|totally normal link>",
    "\u202etxet sdrawkcab\u202c lol",
    "a" * 700,
    "<script>alert('sold')</script>",
    "'; DROP TABLE core.orders; --",
    "{{ 7 * 7 }} {% raw %} ${HOME}",
    "line one\nline two\r\nline three\t| tab",
    "z̷̢̛a̵l̸g̶o̷ w̶a̵s̴ h̷e̶r̸e̷ 👩‍👩‍👧‍👦🏳️‍🌈",
    "&lt;b&gt; &amp; &#60;",
    "#general @channel @here +1 :tada: :no_such_emoji:",
    "NULL",
)

OFF_PLATFORM = (
    "save the fees: venmo @{handle} and I ship today",
    "cashapp ${handle} for 10 off, just put your username",
    "*zelle works too* <https://pay.example/{handle}|pay here> and I skip the app",
    "dm me to pay outside the app, {n} flat",
    "paypal friends and family only please {handle}@mail.example",
    "<@U0ANA> venmo @{handle}, cheaper than here",
    "I can do {n} if you wire me direct, off the app",
)

ABUSE = (
    "nobody wants you here, get lost {name}",
    "shut up {name} you worthless clown",
    "I know where you live {name}",
    "{name} you are trash, log off forever",
    "keep talking {name} and I will find you",
    "<!here> everyone report {name}, worthless",
)

RAIDS = (
    "this host is a scammer do not buy anything here tonight {tag}",
    "FREE GIVEAWAY ON OUR CHANNEL come over right now {tag}",
    "<!channel> refund everybody or we come back every night {tag}",
    "👎👎👎 raided by the night crew, leave this show now {tag}",
)

PHISHING = (
    "you won! claim at https://claim-prize.example/{handle} within 10 minutes",
    "support here: verify your card at <https://secure-verify.example/{handle}|the help desk>",
    "your order is on hold, sign in again: https://claim-prize.example/login",
)

PROHIBITED = (
    ("Switchblade knife, spring loaded", "Opens with a click. Adults only."),
    ("Disposable vape bundle x10", "Assorted flavors, no questions asked."),
    ("Prescription glasses and leftover painkillers", "Unused prescription painkillers, full bottle."),
    ("Antique ivory carving", "Real elephant ivory, came with the estate."),
    ("Pepper spray and brass knuckles lot", "<b>Ships anywhere</b> *today*"),
)

COUNTERFEIT = (
    ("Designer court shoe 1:1 replica", "Mirror quality, nobody can tell. Comes with fake receipt."),
    ("Luxury watch super clone", "Super clone movement, same weight as the real one."),
    ("AAA replica tote", "Factory seconds, AAA replica, logo is perfect"),
    ("Graded slab, unauthorized authentic", "UA batch from the same line, <!channel> ask for more"),
)

REFUND_REASONS = ("damaged", "wrong item", "changed mind", "not as described", "late", "not received")

REPORTED_FOR = ("spam", "harassment", "counterfeit", "other")
BANNED_FOR = ("threats", "counterfeit", "chargebacks", "not shipping")
MODELS = ("chat_toxicity", "listing_risk", "login_risk")
COUPONS = ("WELCOME10", "FRIDAY5", "COMEBACK8")
CAMPAIGNS = ("Welcome", "Friday nights", "Come back")

COPIED = (
    "Estate find from a private collection, stored in a dry attic since the day it was bought, "
    "no returns, message {name} before you bid",
    "Our supplier closed its warehouse in {name} county and everything must go at a tenth of the price, "
    "limited to two per household",
)

# Nobody real is meant: numbers are those kept for stories, the streets do not exist.
ASKS_FOR_AGE = ("how old are you btw", "are you still in school?", "what grade are u in")
ASKS_FOR_CONTACT = (
    "add me on the other app, {handle}",
    "whats your snap, easier there",
    "dm me on the side, {handle}, do not tell the host",
)
DOXXING = (
    "he lives at {n} Nowhere Street, go say hi",
    "her number is 555-0142, call her tonight",
    "this host's real name is {name}, works from {n} Example Road",
)
SELF_HARM = (
    "honestly they would all be better off without me",
    "I see no reason to live after this week",
    "some nights I just want to end it all",
)
