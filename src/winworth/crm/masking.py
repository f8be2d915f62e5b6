"""E-mail addresses and phone numbers are masked in whatever is shown or written word for word."""

import re

_EMAIL = r"[^\s@;,\"'<>()\[\]]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"
_GAP = r"[ .\u00a0\u202f-]?"
_FRENCH = rf"0[1-9](?:{_GAP}\d\d){{4}}"
_ABROAD = rf"(?:\+|00)[1-9]\d{{0,2}}{_GAP}(?:\(0\))?(?:{_GAP}\d){{7,12}}"
_AMERICAN = r"(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[.-]\d{4}"
SEEN = re.compile(rf"(?P<mail>{_EMAIL})|(?P<phone>(?<![\w.,/+-])(?:{_FRENCH}|{_ABROAD}|{_AMERICAN})(?![\w]|[.,/-]\d))")

MASKS = {"mail": "(e-mail)", "phone": "(phone)"}


def without_people(text: str) -> str:
    """Mask the e-mail addresses and phone numbers in a text.

    A phone number is one that is written as such: a French one of ten digits, one with its country before it, or in the
    groups of North America. An id of ten digits that begins with 0 looks like one and is masked too.

    >>> without_people("D1;anne.roy@acme.fr;06 12 34 56 78;+33 (0)6-12-34-56-78;1 250,50;2026-06-30;0125032")
    'D1;(e-mail);(phone);(phone);1 250,50;2026-06-30;0125032'
    """
    return SEEN.sub(lambda found: MASKS["mail" if found["mail"] else "phone"], text)
