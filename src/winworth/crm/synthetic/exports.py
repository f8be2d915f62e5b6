"""The files that a French CRM would export of a company, a few faulty rows included."""

from pathlib import Path

import numpy as np
import pandas as pd

from winworth.crm.synthetic.dirt import Soiled, soil
from winworth.crm.synthetic.world import EXTRA_COLUMNS, World
from winworth.tables import TABLES

SEPARATOR = ";"
SPOILED = (("Ouverte le", "30/02/2025"), ("Montant", "à confirmer"), ("Ouverte le", "31/06/2025"), ("Montant", "12 k€ env."))
N_FAULTY_DEALS = len(SPOILED) + 2  # rows of the file of deals that are none of its table
NARROW_SPACE = "\u202f"  # parts thousands
GROUPED = ("amount", "revenue", "balance_sheet", "budget")  # columns whose numbers are written with it

HEADERS: dict[str, dict[str, str]] = {
    "deals": {
        "deal_id": "Identifiant affaire",
        "account_id": "Compte",
        "owner_id": "Commercial",
        "opened_on": "Ouverte le",
        "closed_on": "Fermée le",
        "status": "Statut",
        "kind": "Type",
        "source": "Origine",
        "product": "Produit",
        "budget": "Budget annoncé",
        "amount": "Montant",
        "currency": "Devise",
        "loss_reason": "Motif de perte",
    },
    "accounts": {
        "account_id": "Identifiant compte",
        "name": "Raison sociale",
        "created_on": "Créé le",
        "sector": "Secteur",
        "country": "Pays",
        "region": "Région",
        "postcode": "Code postal",
        "size_class": "Taille",
        "headcount": "Effectif",
        "revenue": "Chiffre d'affaires",
        "balance_sheet": "Total du bilan",
        "automation_level": "Niveau d'automatisation",
        "billing_day": "Jour de facturation",
        "health_score": "Score de santé",
        "crm_stack": "CRM en place",
        "regulatory_maturity": "Maturité réglementaire",
        "digital_level": "Niveau d'échanges numériques",
        "potential": "Potentiel de la zone",
        "cadence": "Rythme de commande",
        "market_segment": "Segment de marché",
    },
    "contacts": {
        "contact_id": "Identifiant contact",
        "account_id": "Compte",
        "role": "Rôle",
        "seniority": "Niveau",
        "known_on": "Connu le",
    },
    "activities": {
        "activity_id": "Identifiant activité",
        "account_id": "Compte",
        "deal_id": "Affaire",
        "contact_id": "Contact",
        "kind": "Nature",
        "outcome": "Issue",
        "hours": "Heures",
        "happened_on": "Date",
        "known_on": "Saisie le",
    },
    "stage_changes": {"deal_id": "Affaire", "stage": "Étape", "changed_on": "Depuis le"},
    "invoices": {
        "invoice_id": "Numéro de facture",
        "account_id": "Compte",
        "invoiced_on": "Date de facture",
        "amount": "Montant HT",
        "margin": "Marge brute",
    },
    "costs": {"month": "Mois", "item": "Poste", "market_segment": "Segment de marché", "amount": "Montant"},
    "technologies": {"account_id": "Compte", "technology": "Technologie", "seen_on": "Vue le"},
}
FILES = {
    "deals": "affaires.csv",
    "accounts": "comptes.csv",
    "contacts": "contacts.csv",
    "activities": "activites.csv",
    "stage_changes": "etapes.csv",
    "invoices": "factures.csv",
    "costs": "couts.csv",
    "technologies": "technologies.csv",
}
WORDS: dict[tuple[str, str], dict[str, str]] = {
    ("deals", "status"): {"won": "Gagnée", "lost": "Perdue", "open": "En cours"},
    ("deals", "kind"): {"new": "Nouvelle affaire", "upsell": "Vente additionnelle", "renewal": "Renouvellement"},
    ("contacts", "role"): {
        "decider": "Décideur",
        "influencer": "Prescripteur",
        "buyer": "Acheteur",
        "user": "Utilisateur",
        "it": "Informatique",
        "finance": "Finance",
        "legal": "Juridique",
    },
    ("activities", "kind"): {
        "meeting": "Rendez-vous",
        "call": "Appel",
        "email_out": "Courriel envoyé",
        "email_reply": "Courriel reçu",
        "page_view": "Visite du site",
    },
    ("activities", "outcome"): {"held": "Tenu", "cancelled": "Annulé", "no_show": "Absent"},
    ("stage_changes", "stage"): {
        "discovery": "Découverte",
        "qualification": "Qualification",
        "proposal": "Proposition",
        "negotiation": "Négociation",
    },
}


def write_exports(world: World, folder: Path, *, is_dirty: bool = False) -> None:
    """Write the tables as French CSV files: semicolons, decimal commas, dd/mm/yyyy, UTF-8 with a byte order mark.

    The same world gives the same bytes. The file of deals holds six rows too many: two days that do not exist, two
    amounts that are no number, a row with a field too many and a row that stands there twice. `is_dirty` soils every file in
    place of that (`dirt.py`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in world.tables.items():
        if is_dirty:
            lines = soiled(name, frame).lines
        else:
            lines = _in_french(name, frame).to_csv(sep=SEPARATOR, index=False, lineterminator="\n").splitlines()
            lines = _with_faults(lines) if name == "deals" else lines
        (folder / FILES[name]).write_text("\n".join(lines) + "\n", encoding="utf-8-sig", newline="")


def soiled(name: str, frame: pd.DataFrame) -> Soiled:
    """Soil a table as a French CRM would export it; the same table is soiled the same way."""
    headers = {column: header for column, header in HEADERS[name].items() if column in frame}
    kinds = {column: spec.kind for column, spec in TABLES[name].columns.items()}
    kinds |= {column: kind for (table, column), kind in EXTRA_COLUMNS.items() if table == name}
    key = TABLES[name].key
    told = {header: kinds[column] for column, header in headers.items()}
    seed = sorted(HEADERS).index(name)
    return soil(_in_french(name, frame), told, headers[key] if key else None, separator=SEPARATOR, seed=seed)


def _in_french(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table as text, with the headers and words of the CRM."""
    text = {}
    for column, header in HEADERS[name].items():
        if column not in frame:
            continue
        cells = frame[column]
        if cells.dtype.kind == "M":
            cells = _days(cells)
        elif cells.dtype.kind == "f":
            cells = _numbers(cells, NARROW_SPACE if column in GROUPED else "")
        text[header] = cells.map(WORDS[name, column]) if (name, column) in WORDS else cells
    return pd.DataFrame(text)


def _days(days: pd.Series) -> pd.Series:
    """Write days as dd/mm/yyyy, each different day once.

    >>> _days(pd.to_datetime(pd.Series(["2026-06-30", None]))).tolist()
    ['30/06/2026', nan]
    """
    return days.map({day: f"{day:%d/%m/%Y}" for day in days.dropna().unique()}).astype("str")


def _numbers(numbers: pd.Series, thousands: str) -> pd.Series:
    """Write numbers with a decimal comma, two decimals or none.

    >>> _numbers(pd.Series([12500.5, 3.0]), " ").tolist()
    ['12 500,50', '3']
    """
    marks = str.maketrans({",": thousands, ".": ","})
    known = {number: f"{number:,.2f}".removesuffix(".00").translate(marks) for number in numbers.dropna().unique()}
    return numbers.map(known).astype("str")


def _with_faults(lines: list[str]) -> list[str]:
    """Return the lines of deals with the faulty ones among them, each after the row it was made from."""
    header = lines[0].split(SEPARATOR)
    spots = np.linspace(1, len(lines) - 1, N_FAULTY_DEALS).astype(int)
    faulty = [_spoil(lines[spot], header.index(where), cell) for spot, (where, cell) in zip(spots, SPOILED, strict=False)]
    faulty += [_spoil(lines[spots[-2]], len(header), "à revoir"), lines[spots[-1]]]
    after = dict(zip(spots, faulty, strict=True))
    return [out for i, line in enumerate(lines) for out in ((line, after[i]) if i in after else (line,))]


def _spoil(line: str, place: int, cell: str) -> str:
    """Return a row like another, with its own id and another cell at `place`, or one more at the end.

    >>> _spoil("D000001;10;EUR", 1, "dix"), _spoil("D000001;10;EUR", 3, "?")
    ('X000001;dix;EUR', 'X000001;10;EUR;?')
    """
    cells = line.split(SEPARATOR)
    return SEPARATOR.join(["X" + cells[0][1:], *cells[1:place], cell, *cells[place + 1 :]])
