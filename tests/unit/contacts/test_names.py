"""Generated names."""

from services.contacts.names import ANIMALS, COLOURS, generated_name


def test_lists_are_long_and_without_repeats() -> None:
    assert len(COLOURS) == len(set(COLOURS)) >= 60
    assert len(ANIMALS) == len(set(ANIMALS)) >= 120
    assert all(word.isalpha() and word.istitle() for word in COLOURS + ANIMALS)


def test_name_is_a_colour_and_an_animal_and_always_the_same() -> None:
    colour, animal = generated_name("a").split()
    assert colour in COLOURS
    assert animal in ANIMALS
    assert generated_name("a") == f"{colour} {animal}"


def test_names_spread_over_the_lists_when_there_are_many_contacts() -> None:
    names = {generated_name(str(number)) for number in range(5000)}
    assert len(names) > 4000
    assert {name.split()[0] for name in names} == set(COLOURS)
    assert {name.split()[1] for name in names} == set(ANIMALS)
