"""What backtest prints."""

from typing import TYPE_CHECKING

from winworth.printed.report import Report
from winworth.review.effects import backtest_sentences
from winworth.review.words import words_in

if TYPE_CHECKING:
    from winworth.flows.backtest import Backtested


def backtested(done: "Backtested", lang: str = "en") -> Report:
    """Say what the highest scores held, and what working them first would have brought."""
    words, told = words_in(lang), done.to_dict()
    return Report(
        [*backtest_sentences(told, words), words.say("backtest_where", folder=done.folder)], told | {"folder": str(done.folder)}
    )
