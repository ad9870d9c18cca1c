"""The exit status of scripts/blast_radius.py: dangerous changes fail, and ordinary ones do not.

`pytest tests/scripts/test_alarms.py -rA` lists both, so that removing a false alarm does not remove a true one.
"""

from __future__ import annotations

import pytest

from tests.support.alarms import ALARMS
from tests.support.checkout import Checkout


@pytest.mark.parametrize("name", ALARMS)
def test_only_what_is_dangerous_raises_an_alarm(checkout: Checkout, name: str) -> None:
    alarm = ALARMS[name]
    if alarm.before:
        alarm.before(checkout)
        checkout.commit()
    alarm.change(checkout)
    result = checkout.script("blast_radius.py", "--brief")
    assert result.returncode == int(alarm.is_true), result.stdout + result.stderr
    assert alarm.says in result.stdout
    assert not alarm.never_says or alarm.never_says not in result.stdout
