"""Slips of keyboard, ear and clerk: each is small, and none makes a real number of a synthetic one."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.normalise.nhs import is_nhs_number
from pipelines.synth import errors
from pipelines.synth.dice import Dice, Weighted
from pipelines.synth.identities import Registry, driver_number
from pipelines.synth.names import load_traditions, load_variants


def test_the_same_seed_draws_the_same_and_another_chunk_draws_otherwise() -> None:
    first, again, other = Dice(1, 7), Dice(1, 7), Dice(1, 8)
    assert [first.random() for _ in range(5)] == [again.random() for _ in range(5)]
    assert Dice(1, 7).random() != other.random()


def test_draws_follow_their_weights() -> None:
    dice, coin = Dice(3), Weighted({"heads": 0.9, "tails": 0.1})
    assert 850 < sum(dice.draw(coin) == "heads" for _ in range(1000)) < 950


def test_a_typo_changes_the_length_by_at_most_one() -> None:
    dice = Dice(5)
    assert all(abs(len(errors.typo("Thompson", dice)) - 8) <= 1 for _ in range(200))


@pytest.mark.parametrize(
    ("born", "written"),
    [(date(2010, 3, 4), date(2010, 4, 3)), (date(2010, 3, 14), date(2010, 3, 14))],
)
def test_day_and_month_are_exchanged_only_where_that_is_a_date(born: date, written: date) -> None:
    assert errors.swap_day_and_month(born) == written


def test_mistyped_dates_are_dates_also_at_the_end_of_february() -> None:
    dice = Dice(6)
    for born in (date(2012, 2, 29), date(2010, 12, 31), date(2000, 1, 1)):
        assert all(isinstance(errors.mistype_date(born, dice), date) for _ in range(300))


def test_a_mistyped_nhs_number_fails_its_check_digit_and_still_starts_with_nine() -> None:
    dice, registry = Dice(9), Registry(1)
    for _ in range(500):
        number = registry.nhs_number()
        wrong = errors.mistype_digit(number, dice)
        assert wrong.startswith("9")
        assert wrong == number or not is_nhs_number(wrong)


def test_what_windows_1252_cannot_carry_is_transliterated_and_the_rest_kept() -> None:
    assert errors.encodable("Małgorzata Müller Nguyễn", "cp1252") == "Malgorzata Müller Nguyen"


def test_every_name_of_every_tradition_reaches_windows_1252() -> None:
    for tradition in load_traditions().values:
        pools = [tradition.family, *(pool for _, pool in (*tradition.male, *tradition.female))]
        for name in (name for pool in pools for name in pool.values):
            errors.encodable(name, "cp1252").encode("cp1252")


def test_the_most_common_names_are_much_more_common_than_the_rest() -> None:
    british = next(tradition for tradition in load_traditions().values if tradition.name == "british")
    shares = [
        high - low
        for low, high in zip([0.0, *british.family.cumulative], british.family.cumulative, strict=False)
    ]
    assert british.family.values[0] == "Smith"
    assert 0.005 < shares[0] < 0.03
    assert shares[0] > 30 * shares[1500]


def test_a_nickname_and_a_spelling_come_from_the_lists_and_unknown_names_stay() -> None:
    dice, variants = Dice(2), load_variants()
    assert errors.nickname("William", variants, dice) in {"Will", "Bill", "Billy"}
    assert errors.other_spelling("Aisha", variants, dice) in {"Ayesha", "Aysha", "Aishah"}
    assert errors.nickname("Xanthe", variants, dice) == "Xanthe"


def test_a_driver_number_carries_surname_and_birth_date() -> None:
    assert driver_number("Lee", "Ann", date(1984, 3, 25), "F") == "LEE99853254A95ZZ"
