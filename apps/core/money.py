"""Money: exact, in minor units inside, with a currency."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

# ISO 4217: minor units that are not hundredths.
_WITHOUT = ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV"]
_THOUSANDTHS = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]
_EXPONENTS = {
    **dict.fromkeys([*_WITHOUT, "XAF", "XOF", "XPF"], 0),
    **dict.fromkeys(_THOUSANDTHS, 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` is a whole number of the currency's smallest unit (cents for USD)."""

    currency: str
    minor: int

    @classmethod
    def from_major(cls, amount: Decimal, currency: str) -> "Money":
        """`Decimal("29.00"), "USD"` -> 2900 cents; halves go to the even neighbour."""
        scaled = amount.scaleb(exponent(currency)).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
        return cls(currency.upper(), int(scaled))

    @property
    def major(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __lt__(self, other: "Money") -> bool:
        """Raises ValueError for amounts of two currencies: they have no order."""
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} can't be compared")
        return self.minor < other.minor

    def __str__(self) -> str:
        return f"{self.major:,.{exponent(self.currency)}f} {self.currency}"


def exponent(currency: str) -> int:
    """Digits of the minor unit (ISO 4217): 2 for USD, 0 for JPY."""
    return _EXPONENTS.get(currency.upper(), 2)
