"""What the tests of signatures share."""

import pytest

from gateway.soap.security import canonical, signature


@pytest.fixture
def made(monkeypatch):
    """Count what is made canonical."""
    names = []
    real = canonical.canonical
    monkeypatch.setattr(
        signature.canonical, "canonical", lambda e, p=(): names.append(e.tag) or real(e, p)
    )
    return names
