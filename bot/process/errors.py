"""The errors of the shell. Each docstring tells the reader what to do; answers to people are values."""


class PatrolError(Exception):
    """Something outside did not do its part. Read the message: it says which and what to do."""


class Conflict(PatrolError):
    """Somebody changed the alert in between. Load it again and decide again; never query again."""


class LeaseLost(PatrolError):
    """The run was taken over, or its watermark has moved. Drop the result: the new owner has it."""


class StoreAway(PatrolError):
    """The database cannot be reached or is locked. Nothing was recorded; try again shortly."""


class StoreUnfit(StoreAway):
    """The database is there and cannot be used as it is. Waiting does not mend it: read what to do."""


class RecordUnknown(StoreAway):
    """The database went away while it committed. Look whether it was recorded before you try again."""


class SlackRefused(PatrolError):
    """Slack answered no, so nothing was sent. `code` is Slack's own word, such as channel_not_found."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"Slack refused: {code}{f' ({detail})' if detail else ''}")
        self.code = code


class SlackBusy(PatrolError):
    """Slack answered 429: nothing was sent; wait `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Slack asks to wait {seconds:g} s")
        self.seconds = seconds


class OutcomeUnknown(PatrolError):
    """The request may or may not have reached Slack. Look before sending again."""


class JobRefused(PatrolError):
    """The outside system answered no: the job was not started. The message says why."""


class JobUnknown(PatrolError):
    """The outside system did not answer. Start or ask again with the same idempotency key."""


class SettingsError(PatrolError):
    """Settings are wrong; the message lists every mistake and where it stands."""


class PullFailed(PatrolError):
    """A bundle's newest version could not be had; the last one stands. The message says why."""
