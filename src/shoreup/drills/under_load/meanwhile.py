"""A dump that is made to wait in its middle until money has moved.

Left alone, a fast dump on a busy machine may read both tables before anybody has paid anything: its sum is right by
luck, and what was wrong with it stays unseen. So the table between the two is held back. A dump has read the first
table, or has decided which moment it shows, when it comes to wait there; then so many transfers are made, and it goes
on. One that forbids payments while it reads makes those wait who pay, and is not kept waiting for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from time import monotonic

from shoreup.drills.under_load.bank import Bank, Transfers, Waiting

_LOOK = 0.02
_STILL = 1.0
"""Seconds for which nobody has paid and who pays waits: the dump forbids it."""
_LONGEST = 60.0
"""Seconds for which a dump is kept waiting at most."""


@contextmanager
def much_goes_on(bank: Bank, transfers: Transfers, least: int) -> Iterator[None]:
    """While this lasts, whoever first reads the table between the two waits until ``least`` more transfers are made."""
    held, over = Event(), Event()

    def hold() -> None:
        # A server that dies holds nothing any more.
        with suppress(Exception), bank.held() as waiting:
            held.set()
            _keep(waiting, transfers, least, over)
        held.set()

    thread = Thread(target=hold, daemon=True)
    thread.start()
    held.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _keep(waiting: Callable[[], Waiting], transfers: Transfers, least: int, over: Event) -> None:
    while not waiting().other:
        if over.wait(_LOOK):
            return
    began = still = monotonic()
    wanted, last = transfers.count + least, transfers.count
    while (now := transfers.count) < wanted and not over.wait(_LOOK):
        if now != last:
            last, still = now, monotonic()
        late = monotonic()
        if late - began > _LONGEST or (late - still > _STILL and waiting().payer):
            return
