"""apps.core.money: exact amounts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.money import Money, exponent

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "BHD"])


@given(minor=st.integers(-(10**15), 10**15), currency=CURRENCIES)
def test_major_and_minor_units_are_the_same_amount(minor: int, currency: str) -> None:
    money = Money(currency, minor)
    assert Money.from_major(money.major, currency) == money


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("29.00", "USD", 2900),
        ("29", "jpy", 29),
        ("1.234", "BHD", 1234),
        ("0.005", "USD", 0),
        ("0.015", "USD", 2),
    ],
)
def test_an_amount_is_rounded_to_the_even_neighbour(amount: str, currency: str, minor: int) -> None:
    assert Money.from_major(Decimal(amount), currency) == Money(currency.upper(), minor)


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money("USD", 123456789), "1,234,567.89 USD"),
        (Money("JPY", 1500), "1,500 JPY"),
        (Money("BHD", -5), "-0.005 BHD"),
        (Money("USD", 0), "0.00 USD"),
    ],
)
def test_money_is_written_with_its_own_number_of_digits(money: Money, text: str) -> None:
    assert str(money) == text


def test_minor_units_follow_iso_4217() -> None:
    assert [exponent(currency) for currency in ("USD", "XAF", "UGX", "IQD", "LYD")] == [2, 0, 0, 3, 3]


def test_amounts_of_two_currencies_have_no_order() -> None:
    assert Money("USD", 1) < Money("USD", 2)
    with pytest.raises(ValueError, match="USD"):
        assert Money("EUR", 1) < Money("USD", 2)
