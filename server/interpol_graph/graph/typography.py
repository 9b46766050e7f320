"""French as it is printed: apostrophes that curve, and spaces before marks and inside quotation marks that no line breaks at."""

import re

#: What is written plainly → how it is printed: narrow before ; ! ? and whole before : and inside « ».
_PRINTED = (
    (re.compile(r"(?<=[^\W\d_])'(?=[^\W_])"), "’"),
    (re.compile(r"(?<=\S) (?=[;!?](?:\s|[)»]|$))"), "\u202f"),
    (re.compile(r"(?<=\S) (?=[:»](?:\s|[.,)]|$))|(?<=«) "), "\u00a0"),
)


def french(text: str) -> str:
    """Return a French text as it is printed.

    >>> french("L'an 1956 : où ? « Ici » ; a:b"), french("?s ?p 'x'")
    ('L’an 1956\\xa0: où\\u202f? «\\xa0Ici\\xa0»\\u202f; a:b', "?s ?p 'x'")
    """
    for pattern, printed in _PRINTED:
        text = pattern.sub(printed, text)
    return text
