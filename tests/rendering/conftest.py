"""Build applications with the rendered scripts."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def _downloads(downloads: None) -> None:
    """Build in this process without a network."""
