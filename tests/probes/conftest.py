"""What is drawn at random in tests of properties is the same in every run."""

from __future__ import annotations

import contextlib

with contextlib.suppress(ImportError):
    from hypothesis import HealthCheck, settings

    # A machine that is full is slow at times; and a draw that nobody has seen before would fail
    # for who has changed nothing. `pytest --hypothesis-profile=default` looks for new ones.
    settings.register_profile(
        "the same",
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    settings.load_profile("the same")
