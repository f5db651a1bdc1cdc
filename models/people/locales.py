"""The twenty locales that invented people come from, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Locale:
    """One locale.

    `faker` is Faker's name for it, `tag` the BCP 47 tag, `weight` its share of people. In `phone` each
    `#` stands for a digit; where a regulator reserves numbers for fiction, the template stays inside.
    `name` puts a full name together; `divisions` says whether Faker knows the country's own divisions.
    """

    faker: str
    tag: str
    country: str
    currency: str
    phone: str
    weight: int
    name: str = "{given} {family}"
    divisions: bool = True


LOCALES: Final = (
    Locale("en_US", "en-US", "US", "USD", "+120255501##", 10),
    Locale("en_GB", "en-GB", "GB", "GBP", "+447700900###", 9),
    Locale("de_DE", "de-DE", "DE", "EUR", "+4917139200##", 10),
    Locale("de_AT", "de-AT", "AT", "EUR", "+43660000####", 3),
    Locale("fr_FR", "fr-FR", "FR", "EUR", "+3363998####", 9),
    Locale("es_ES", "es-ES", "ES", "EUR", "+34600000###", 7),
    Locale("it_IT", "it-IT", "IT", "EUR", "+39320000####", 7),
    Locale("nl_NL", "nl-NL", "NL", "EUR", "+316000000##", 4),
    Locale("pt_PT", "pt-PT", "PT", "EUR", "+35191000####", 3),
    Locale("pt_BR", "pt-BR", "BR", "BRL", "+551190000####", 5),
    Locale("pl_PL", "pl-PL", "PL", "PLN", "+48500000###", 6),
    Locale("cs_CZ", "cs-CZ", "CZ", "CZK", "+420600000###", 3),
    Locale("sv_SE", "sv-SE", "SE", "SEK", "+467017406##", 4),
    Locale("da_DK", "da-DK", "DK", "DKK", "+45200000##", 2),
    Locale("fi_FI", "fi-FI", "FI", "EUR", "+35840000####", 2),
    Locale("el_GR", "el-GR", "GR", "EUR", "+30690000####", 3),
    Locale("uk_UA", "uk-UA", "UA", "UAH", "+38050000####", 3, divisions=False),
    Locale("tr_TR", "tr-TR", "TR", "TRY", "+90500000####", 3, divisions=False),
    Locale("ja_JP", "ja-JP", "JP", "JPY", "+81900000####", 4, "{family} {given}"),
    Locale("ko_KR", "ko-KR", "KR", "KRW", "+82100000####", 3, "{family}{given}"),
)
