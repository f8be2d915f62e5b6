"""What advise prints."""

from typing import TYPE_CHECKING, Any

from winworth.printed.report import Report, plain_table
from winworth.review.effects import advice_sentences, hours_rows
from winworth.review.words import words_in

if TYPE_CHECKING:
    from winworth.flows.advise import Advised

COLUMNS = ("group", "accounts", "now", "then", "marginal")


def advised(done: "Advised", lang: str = "en") -> Report:
    """Say what to change and what it is worth, and show the hours of every group now and as advised."""
    words, told = words_in(lang), done.to_dict()
    parts: list[Any] = advice_sentences(told, words)
    if rows := hours_rows(told, words):
        table = plain_table(words.say("advice_title"), [words.say(f"advice_{name}") for name in COLUMNS])
        for row in rows:
            table.add_row(*row)
        parts.append(table)
    return Report([*parts, words.say("advice_where", folder=done.folder)], told | {"folder": str(done.folder)})
