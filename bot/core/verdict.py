"""What an alert was, in the words that people type after `resolve 142`, and back into them. Pure."""

from __future__ import annotations

from difflib import get_close_matches

from bot.core.alert import Disposition, FalseCause

SHORT = {
    "tp": Disposition.true_positive,
    "fp": Disposition.false_positive,
    "dup": Disposition.duplicate,
    "unclear": Disposition.insufficient_information,
    "gap": Disposition.policy_gap,
}
VERDICTS = {**SHORT, "ok": Disposition.benign, **{d.value: d for d in Disposition}}
CAUSES = {"exception": FalseCause.known_exception, **{c.value: c for c in FalseCause}}
WORDS = "tp, benign, fp (rule, threshold, data or exception), dup, unclear, gap, test"
NOTE_MOST = 60  # characters of a note that are typed again; longer ones stand in the history


def bare(said: str) -> str:
    """Without what is written behind a word."""
    return said.lower().rstrip(",:;.")


def near_cause(said: str) -> str | None:
    """The cause of a false positive that the word is, or was meant to be."""
    return next(iter(get_close_matches(bare(said), CAUSES, n=1, cutoff=0.85)), None)


def typed(disposition: Disposition, cause: FalseCause | None, note: str) -> str:
    """As it is typed, with a note that is short and reads the same when it is typed again."""
    short = {meant: word for word, meant in SHORT.items()}
    causes = {meant: word for word, meant in reversed(CAUSES.items())}
    words = [short.get(disposition, disposition.value), *([causes[cause]] if cause else [])]
    read_as_cause = cause is None and near_cause(note.split(" ")[0]) is not None
    plain = " ".join(note.split()) == note and not set(note) & set("`<>") and not read_as_cause
    return " ".join([*words, *([note] if note and plain and len(note) <= NOTE_MOST else [])])
