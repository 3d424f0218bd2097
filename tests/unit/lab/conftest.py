"""One generated fortnight for all tests of the generator."""

from __future__ import annotations

import pytest

from stillwatch.lab.traffic.generate import build
from stillwatch.lab.traffic.truth import Truth
from stillwatch.lab.traffic.world import World


@pytest.fixture(scope="session")
def fortnight() -> tuple[World, Truth]:
    return build(seed=7)
