"""The words of names, without case and accents, as they are searched."""

import unicodedata


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text, each once, in their order.

    >>> words_of("Dr. Zoë O'Brien-de Vries, Zoë")
    ('dr', 'zoe', 'o', 'brien', 'de', 'vries')
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(each for each in decomposed if not unicodedata.combining(each))
    spaced = "".join(each if each.isalnum() else " " for each in bare.casefold())
    return tuple(dict.fromkeys(spaced.split()))
