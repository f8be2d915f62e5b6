"""The gate refuses with numbers, a signature overrules it in writing, and a version can be rolled back to."""

import json

import pytest

from winworth.bundle import challenger, champion, open_version, save_version, set_challenger
from winworth.errors import ConfigError, GateRefused, IntegrityError
from winworth.flows.promote import Signature, promote
from winworth.scoring.scorer import as_json


@pytest.fixture
def refused(demo_copy):
    """Return a home whose challenger failed its gate, with the demo's version as champion."""
    models = demo_copy.home / "models"
    bundle = open_version(models / champion(models))
    metrics = bundle.json("metrics.json")
    check = {"name": "beats_context", "passed": False, "says": "log loss +0.0100 (standard error 0.0020)"}
    metrics["gate"] = {"passed": False, "reasons": [f"beats_context: {check['says']}"], "checks": [check]}
    files = {**bundle.contents, "metrics.json": as_json(metrics).encode()}
    set_challenger(models, save_version(models, files, as_of=bundle.as_of))
    return demo_copy.home


def test_a_refusal_names_the_numbers_and_leaves_the_champion(refused):
    before = champion(refused / "models")
    with pytest.raises(GateRefused, match=r"log loss \+0.0100 \(standard error 0.0020\)"):
        promote(refused)
    assert champion(refused / "models") == before


def test_a_signature_overrules_the_gate_and_marks_the_card(refused):
    asked = challenger(refused / "models")
    done = promote(refused, signature=Signature("Ada Lovelace", "pilot in one region"))
    card = open_version(refused / "models" / done.version).text("model_card.md")
    assert done.version != asked
    assert "**Promoted against its gate** by Ada Lovelace: pilot in one region." in card
    assert champion(refused / "models") == done.version


def test_an_unsigned_overruling_is_an_error():
    with pytest.raises(ConfigError, match="needs a signature"):
        Signature("", "because")


def test_a_version_can_be_rolled_back_to_and_each_step_is_on_record(refused):
    first = champion(refused / "models")
    second = promote(refused, signature=Signature("Ada", "try")).version
    done = promote(refused, to=first)
    lines = [json.loads(line) for line in (refused / "models" / "promotions.jsonl").read_text().splitlines()]
    assert done.version == champion(refused / "models") == first
    assert [(line["version"], line["replaced"]) for line in lines[-2:]] == [(second, first), (first, second)]


def test_a_version_that_is_not_there_is_refused(refused):
    with pytest.raises(IntegrityError, match="no model version"):
        promote(refused, to="2026-06-30-00000000")
