"""What a person should know before training is said."""

from dataclasses import replace
from datetime import date

from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.flows.prepare import prepare

AS_OF = date(2026, 6, 30)


def test_a_condition_on_a_word_that_no_row_has_is_named_with_the_nearest(demo):
    meetings = Feature(count="activities", where={"kind": ("meetng", "call")}, within_days=90)
    catalog = Catalog({"engagement": Criterion("behavioural", {"en": "Engagement"}, {"meetings": meetings})})
    said = prepare(replace(demo.settings, catalog=catalog), as_of=AS_OF).warnings
    assert any("The feature meetings asks for kind meetng" in line and "Did you mean meeting?" in line for line in said)


def test_the_demo_has_no_such_condition(demo):
    assert not any("asks for" in line for line in demo.done.trained.metrics["warnings"])
