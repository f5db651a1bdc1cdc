"""Names that look alike, as Unicode Technical Standard 39 tells them (https://www.unicode.org/reports/tr39/).

Two names look alike when their skeletons are equal (section 4); a name may mix scripts as far as the
"highly restrictive" level goes (section 5.2). The data is that of the package confusable-homoglyphs; it is
read when the first name needs it that is not ASCII.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final
from unicodedata import decimal, normalize

import orjson

_ROUNDS: Final = 4  # of folding case and mapping again, until nothing changes
_MARK: Final = "\u200e"  # the package writes it around what is written from right to left
_ANY_SCRIPT: Final = frozenset({"COMMON", "INHERITED"})
_TOGETHER: Final = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
# What the data says of ASCII, written out: a test holds the two together.
_ASCII: Final = {ord("0"): "o", ord("1"): "l", ord("I"): "l", ord("m"): "rn", ord("M"): "rn"} | {
    ord(sign): sign.lower() for sign in "ABCDEFGHJKLNOPQRSTUVWXYZ"
}


def skeleton(name: str) -> str:
    """What all names that look like `name` have in common, whatever their case."""
    if name.isascii():
        return name.translate(_ASCII)
    return normalize("NFD", normalize("NFD", name).translate(_table()))


def mixes_scripts(name: str) -> bool:
    """Whether `name` has letters of scripts, or digits of systems, that are not written together."""
    if name.isascii():
        return False
    found = {_script(sign) for sign in name} - _ANY_SCRIPT
    zeros = {ord(sign) - value for sign in name if (value := decimal(sign, None)) is not None}
    return len(zeros) > 1 or (len(found) > 1 and not any(found <= each for each in _TOGETHER))


@cache
def _table() -> Mapping[int, str]:
    """From each character to what stands for all that look like it, in either case."""
    prototypes = _prototypes()

    def fold(text: str) -> str:
        for _ in range(_ROUNDS):
            folded = "".join(prototypes.get(sign, sign) for sign in normalize("NFD", text.casefold()))
            if folded == text:
                break
            text = folded
        return text

    signs = {*prototypes, *(chr(code) for code in range(0x250) if chr(code).isalpha())}
    cased = {variant for sign in signs for variant in (sign, sign.upper(), sign.lower()) if len(variant) == 1}
    return _Folding({ord(sign): fold(prototypes.get(sign, sign)) for sign in cased})


class _Folding(dict[int, str]):
    """A table for `str.translate` that folds the case of what it does not know."""

    def __missing__(self, code: int) -> str:
        return chr(code).casefold()


def _prototypes() -> dict[str, str]:
    """From each character that has look-alikes to the one text that stands for them.

    In the data a prototype lists all its look-alikes, and each of those lists the prototype only.
    """
    raw = orjson.loads((files("confusable_homoglyphs") / "confusables.json").read_bytes())
    listed: dict[str, list[str]] = {}
    for text, others in raw.items():
        listed.setdefault(text.replace(_MARK, ""), []).extend(each["c"].replace(_MARK, "") for each in others)
    found: dict[str, str] = {}
    for text, others in listed.items():
        if len(text) == 1 and len(others) == 1:
            other = others[0]
            # Of a pair either may stand for both; a text of several characters can only be the prototype.
            is_prototype = len(other) > 1 or len(listed.get(other, ())) > 1 or other < text
            found[text] = other if is_prototype else text
    return found


@cache
def _scripts() -> tuple[Sequence[int], Sequence[tuple[int, str]]]:
    """Where each range of characters begins; where it ends, and its script."""
    raw = orjson.loads((files("confusable_homoglyphs") / "categories.json").read_bytes())
    ranges = sorted(raw["code_points_ranges"])
    names = raw["iso_15924_aliases"]
    return [each[0] for each in ranges], [(each[1], names[each[2]]) for each in ranges]


def _script(sign: str) -> str:
    starts, ends = _scripts()
    position = bisect_right(starts, ord(sign)) - 1
    end, script = ends[position]
    return script if ord(sign) <= end else "UNKNOWN"
