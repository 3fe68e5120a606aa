"""The words of names, without case and accents, as they are searched."""

from carethread.directory.matching import plain_words


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text, each once, in their order.

    >>> words_of("Dr. Zoë O'Brien-de Vries, Zoë")
    ('dr', 'zoe', 'o', 'brien', 'de', 'vries')
    """
    return tuple(dict.fromkeys(plain_words(text)))
