"""Configure property tests: how many generated examples each tries in either tier."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, Phase, is_hypothesis_test, settings

# Answers are too large to shrink. Every run uses the same examples: no failure is random.
settings.register_profile(
    "thorough",
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
settings.register_profile("quick", settings.get_profile("thorough"))


def choose_profile(config: pytest.Config) -> None:
    """Try a tenth of the examples in the fast tier."""
    settings.load_profile("quick" if "not proof" in config.option.markexpr else "thorough")


def thorough() -> bool:
    """Return whether these are the tests of the slow tier, or all."""
    return settings.get_current_profile_name() == "thorough"


def up_to(examples: int) -> settings:
    """Return the settings of a property with this number of examples in the slow tier."""
    return settings(max_examples=examples if thorough() else math.ceil(examples / 10))


def run_in_both_tiers(items: list[pytest.Item]) -> None:
    """Select every property in the slow tier, too."""
    if thorough():
        for item in items:
            if is_hypothesis_test(getattr(item, "obj", None)):
                item.add_marker("proof")
