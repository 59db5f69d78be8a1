"""How hard Hypothesis tries: the same examples each time, and `make hunt` draws new ones."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

HUNTED = int(os.environ.get("HUNT", "1000"))  # examples of each property; a test's own number goes before

settings.register_profile(
    "same", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile(  # what fails has failed: no smallest example is looked for
    "mutation", settings.get_profile("same"), phases=[Phase.explicit, Phase.generate]
)
settings.register_profile(
    "hunt", settings.get_profile("same"), max_examples=HUNTED, derandomize=False, print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
