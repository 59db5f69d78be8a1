"""How hard Hypothesis tries in the core's tests: enough to find things, within a minute on two busy cores."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "core", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile(  # what fails has failed: no smallest example is looked for
    "mutation", settings.get_profile("core"), phases=[Phase.explicit, Phase.generate], derandomize=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "core"))
