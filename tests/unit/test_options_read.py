"""What an adapter reads out of its options: a value that can work, or the option's name."""

from zoneinfo import ZoneInfo

import pytest

from gateway.errors import ConfigurationError
from gateway.options_read import choice, flag, number, words, zone


@pytest.mark.parametrize("given", [1, 2.5, "3", 10])
def test_a_number_may_be_said_as_text(given):
    assert number({"page": given}, "page", 5, most=10) == float(given)


def test_what_is_not_said_is_the_default():
    assert number({}, "page", 5) == 5
    assert choice({}, "ack", ("accept", "upload")) == "accept"
    assert flag({}, "reading") is False
    assert words({}, "tags") == ()
    assert zone({}) == ZoneInfo("Europe/Moscow")


@pytest.mark.parametrize("given", [True, None, "много", [], 0.5, 11, "nan", float("inf"), "1e999"])
def test_a_number_that_cannot_work_is_told_by_its_name(given):
    with pytest.raises(ConfigurationError) as caught:
        number({"page": given}, "page", 5, most=10)
    assert caught.value.where == "options.page"
    assert caught.value.expected == "1 … 10"
    assert caught.value.found == str(given)


@pytest.mark.parametrize(
    ("read", "given"),
    [
        (lambda o: choice(o, "it", ("a", "b")), "c"),
        (lambda o: flag(o, "it"), "true"),
        (lambda o: flag(o, "it"), 1),
        (lambda o: words(o, "it"), "слово"),
        (lambda o: words(o, "it"), ["слово", 1]),
        (lambda o: zone(o, "it"), "Europe/Voronezh"),
        (lambda o: zone(o, "it"), "../../etc/passwd"),
        (lambda o: zone(o, "it"), "\0"),
    ],
)
def test_what_cannot_work_is_told_by_its_name(read, given):
    with pytest.raises(ConfigurationError) as caught:
        read({"it": given})
    assert (caught.value.where, caught.value.found) == ("options.it", str(given))
