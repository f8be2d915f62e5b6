"""Each fault of F01 to F62 that a file can have is made from one clean CRM by one function, and ends as that function says."""

import corpus_of_cells
import corpus_of_files
import corpus_of_ids
import corpus_of_packages
import pytest
from clean_crm import Crm

CORPORA = (corpus_of_files, corpus_of_packages, corpus_of_ids, corpus_of_cells)
FAULTS = {name: made for corpus in CORPORA for name, made in vars(corpus).items() if name[0] == "f" and name[1:3].isdigit()}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_fault(name, tmp_path, monkeypatch):
    crm = Crm(tmp_path)
    crm.patch = monkeypatch
    FAULTS[name](crm).check(crm)
