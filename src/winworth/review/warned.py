"""Warnings that the product writes in English, said in the reader's words: each is known by its form."""

import re
from collections.abc import Mapping

from winworth.review.words import Words

# The key is that of the phrase `warned_...`; groups, and <n>, <of> and <table>, are its blanks.
FORMS: Mapping[str, str] = {
    "repeated": r"<table>: <n> rows? repeats? an earlier row and (?:was|were) dropped\.",
    "modified": r"<table>: <n> rows? have the (?P<key>\w+) of a row that was modified later and were dropped\.",
    "orphans": r"<table>: <n> of <of> rows? name no such (?P<parent>\w+): (?P<cases>.*)",
    "known_on": r"<table>: <n> rows? of <of> have no known_on and count as known on (?P<day>\w+)\.",
    "expected_day": r"deals: closed_on of <n> rows? with status open was taken for an expected day and left out .*",
    "currencies": r"<table>: <n> rows? in other currencies count in (?P<home>\w+), at the day's rate\.",
    "no_rate": r"<table>: <n> rows? have a currency without a rate by their day: (?P<cases>.*)",
    "no_rows": r"(?P<file>.+) has no rows\.",
    "no_invoice": r"<n> won deals have no (?:invoice yet|amount): they count for winning and not for value\.",
    "held": r"<n> observations have an amount far beyond all others: it is held within reason\.",
    "unseen": r"<n> of <of> rows have a (?P<name>\w+) that training saw too rarely, or never: it counts as other\.",
    "left_out": r"The feature (?P<name>\w+) is left out: the extract has no table <table>\.",
    "at_once": r"<n> deals ended on the day they opened: there was no day on which to predict them\.",
    "undated": r"Deals have no dates: nothing can be tested forward in time, and no figure here is out of time\.",
    "old_deals": r"A tenth of the open deals are older than (?P<days>[\d.]+) days, and training observes deals up to day .*",
    "signed_for": r"(?P<name>[\w.]+) is overwritten in place and used all the same: signed by (?P<who>.*)\.",
    "short_history": r"The history before the locked quarter is short: the model was chosen in folds apart by account\.",
    "skipped": r"Later quarters are mature but have too few wins or losses to judge by: (?P<quarters>.*)\.",
    "past_deals": r"Fewer than 50 accounts or deals are open to work: weights are read on past deals instead\.",
    "nothing": r"There is nothing to rank by: no weights are published\.",
    "never_invoiced": r"<n> deals were won half a year ago or earlier and never invoiced: their value counts as unknown\.",
    "turnover": r"Invoices have no margin: turnover x (?P<rate>[\d.]+) stands in for it\.",
    "some_turnover": r"<n> invoices have no margin: the rate of the others, (?P<rate>\d+%), stands in for it\.",
    "amounts": r"Invoices cannot tell what deals bring, and amounts stand in: .*",
    "fewer_tiers": r"Only the tiers? (?P<tiers>.*?) are published: .*",
    "tiers_unmeasured": r"Whether tiers differ in what they bring was not measured: .*",
    "same_chance": r"Every account has the same chance, the base rate: none is A or B\.",
    "no_noise": r"The noise of expected values was not measured in training: tiers have no doubt.*",
    "ties": r"<n> of <of> accounts tie at the cut of tier (?P<tier>[AB]): their ids decide, not their worth\.",
    "few_a": r"Only <n> accounts are A, and the team could work (?P<seats>\d+): too few bring what an A costs\..*",
    "share_of_a": r"A is (?P<now>\d+%) of the accounts, and was (?P<before>\d+%) last time: what A means has changed\..*",
    "a_wins": r"Since (?P<day>[\d-]+): A's deals won (?P<won>\d+%), and (?P<told>\d+%) was announced .*",
    "no_seller": r"<n> of <of> A and B accounts are beyond the sellers' hours in scoring\.yaml and have no seller.*",
    "other_seller": r"<n> A and B accounts go to another seller: their owner has no hours for them\.",
    "own_plays": r"There is no playbooks\.yaml: the built-in plays apply.*",
    "strange_play": r"playbooks\.yaml: segments\.(?P<name>\w+) is the segment of no account\..*",
    "unsafe_id": r"<n> accounts are not in the files for the CRM, the first (?P<first>.*): an id that begins like a formula.*",
    "gone": r"<n> accounts of the scoring before are not scored now, the first (?P<first>.*?): score, tier and trend.*",
    "old_version": r"The champion is <n> days old\. Train again: make train promote\.",
    "not_split": r"What moved since (?P<day>[\d-]+) is not split by cause: .*",
    "ended_override": r"The override of (?P<criterion>\w+) by (?P<who>.*) ended on (?P<day>[\d-]+): it is ignored\.",
    "early_override": r"The override of (?P<criterion>\w+) by (?P<who>.*) begins on (?P<day>[\d-]+)\.",
    "icp_short": r"There are too few deals to look for an ideal customer profile\.",
    "icp_nothing": r"No feature says who an account is before anyone sells to it: there is no ideal customer profile\.",
    "icp_none": r"No ideal customer profile is published: .*",
    "no_roles": r"No contact has a role known in time: nothing is said of buying committees\.",
    "young_roles": r"No deal is old enough to tell whose committee won: nothing is said of buying committees\.",
}
_BLANKS = {"<n>": r"(?P<n>[\d,]+)", "<of>": r"(?P<of>[\d,]+)", "<table>": r"(?P<table>\w+)"}
_FORMS = {
    key: re.compile(re.sub(r"(?<!P)<(n|of|table)>", lambda blank: _BLANKS[blank.group()], form), re.DOTALL)
    for key, form in FORMS.items()
}


def in_words(text: str, words: Words) -> str:
    """Return the warning in the reader's language; nothing where its form is not known.

    >>> from winworth.review.words import words_in
    >>> in_words("deals: 1 row repeats an earlier row and was dropped.", words_in("en"))
    'Deals: repeated rows left out: 1.'
    """
    for key, form in _FORMS.items():
        if found := form.fullmatch(text):
            blanks = {name: _written(name, value, words) for name, value in found.groupdict().items()}
            return words.say(f"warned_{key}", **blanks)
    return ""


def table_named(table: str, words: Words) -> str:
    """Name a table in the reader's language; one that is not known keeps its name."""
    return words.phrases.get(f"table_{table}", table)


def _written(name: str, value: str, words: Words) -> str:
    if name == "table":
        return table_named(value, words)
    if name in ("day",) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return words.date_of(value)
    if re.fullmatch(r"[\d,]+", value):
        return words.number(int(value.replace(",", "")))
    return words.percent(int(value[:-1]) / 100) if re.fullmatch(r"\d+%", value) else value
