"""What compare prints."""

from typing import TYPE_CHECKING, Any

from winworth.printed.report import Report, plain_table
from winworth.review.effects import compare_sentences, without_action_rows
from winworth.review.words import words_in

if TYPE_CHECKING:
    from winworth.flows.compare import Compared


def compared(found: "Compared", lang: str = "en") -> Report:
    """Say what the change in the win rate is made of, what treated segments did, and what was to be expected anyway."""
    words, told = words_in(lang), found.to_dict()
    columns = [words.say("segment"), words.say("without_seen"), words.say("without_expected"), "n"]
    table = plain_table(words.say("without_title"), columns)
    for row in without_action_rows(told, words):
        table.add_row(*row)
    parts: list[Any] = [*compare_sentences(told, words), table, words.say("compare_where", folder=found.folder)]
    return Report(parts, told | {"folder": str(found.folder)})
