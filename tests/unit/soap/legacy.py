# ruff: noqa: N802, N805, N815 - spyne's form: the contract's own names, a desk where self would be
"""A made-up legacy contract with what real ones have: inheritance, lists, dates, bytes, a fault."""

from gateway.soap import facade as f

NAMESPACE = "http://legacy.test/meters"


class Reading(f.ComplexModel):
    """One reading of a meter."""

    __namespace__ = NAMESPACE
    meter = f.must(f.Unicode, min_len=1, max_len=20, pattern="[0-9A-Z-]+")
    value = f.must(f.Decimal, fraction_digits=3, total_digits=12)
    takenOn = f.may(f.Date)
    takenAt = f.may(f.DateTime)
    kind = f.may(f.Unicode, values=["hot", "cold"])
    zone = f.may(f.Int, ge=1, le=3)
    ticks = f.may(f.Long)


class Proven(Reading):
    """A reading with its proof."""

    __namespace__ = NAMESPACE
    photo = f.must(f.many(f.ByteArray))


class Taken(f.ComplexModel):
    """What was taken."""

    __namespace__ = NAMESPACE
    number = f.must(f.Int)
    meters = f.must(f.many(f.Unicode))
    at = f.may(f.DateTime)


class Refusal(f.ComplexModel):
    """Why a reading is not taken."""

    __namespace__ = NAMESPACE
    reason = f.must(f.Unicode)


class MeterService(f.Service):
    """Takes readings of meters."""

    @f.rpc(f.must(Reading), f.may(f.Unicode), _returns=f.must(Taken))
    async def Take(desk, reading, note):
        """Takes one reading.

        Twice is once.
        """
        return Taken(number=reading.zone or 0, meters=[reading.meter, note or ""])

    @f.rpc(f.must(Proven), _returns=f.must(Taken))
    def Prove(desk, reading):
        """Takes one with photographs."""
        return Taken(number=len(b"".join(map(f.octets, f.items(reading.photo)))), meters=[])

    @f.rpc(f.may(f.Unicode))
    def Ping(desk, word):
        """Says nothing."""


FACADE = f.Facade(
    MeterService, name="meters", namespace=NAMESPACE, faults=[Refusal],
    action="{namespace}/I{service}/{operation}",
)  # fmt: skip
