"""The words that headers, files and cells use for what winworth knows, in English and French."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field


def plain_words(text: str) -> str:
    """Write a name in small letters without accents, its words apart.

    >>> plain_words("AccountId"), plain_words("Fermée le"), plain_words("close_date"), plain_words("Opportunity ID")
    ('account id', 'fermee le', 'close date', 'opportunity id')
    """
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text[:300])
    letters = unicodedata.normalize("NFKD", apart)
    kept = "".join(c if c.isalnum() else " " for c in letters if not unicodedata.combining(c))
    return " ".join(kept.lower().split())


@dataclass(frozen=True)
class TableWords:
    """How a table and its columns may be called: patterns for the plain words of a file's name and of a header.

    `columns` maps a canonical column to a pattern that must match the whole header, or to several, the best first.
    """

    file: str
    columns: Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Vocabulary:
    """What to look for: the words of each table; what a product says of columns it made itself.

    `known` has, by table and plain header, when a column is known and why; `left_out` why a column is not mapped at all;
    `files` why a file so named is not; `status_codes`, by plain header, what numbers in place of words mean; `home_money` the
    headers of amounts that are in the company's currency already.
    """

    tables: Mapping[str, TableWords]
    known: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    status_codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    home_money: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


_ACCOUNT = r"(account|company|customer|client|compte|societe|entreprise|organi[sz]ation|parent account|raison sociale)"
_DEAL = r"(opportunity|opp|deal|affaire|opportunite|transaction|dossier|offre|subscription)"
_ID = r"(id|key|no|nr|number|num|numero|code|ref|reference|identifier)"
_AMOUNT = r"(amount|montant|value|valeur|revenue|ca|price|prix)"


def _id_of(what: str) -> str:
    return rf"{what} {_ID}|{_ID} (de l |d |de |du )?{what}|identifiant (de l |d |de |du )?{what}|{what}|{what} (name|nom)"


GENERIC = Vocabulary(
    {
        "deals": TableWords(
            rf"\b{_DEAL}s?\b|\b(opportunities|pipeline|sales|ventes|win loss)\b",
            {
                "deal_id": rf"{_id_of(_DEAL)}|record id|id",
                "account_id": rf"{_id_of(_ACCOUNT)}",
                "owner_id": r"(opportunity |deal |record |account )?owner( id| name)?|sales (agent|rep|person)"
                r"|seller|salesperson"
                r"|commerciale?|vendeur|proprietaire( de l (opportunite|affaire))?|responsable|charge d affaires",
                "opened_on": r"(opened|created|create|creation|open|engage|start|opening)( date| on| at| time)?"
                r"|date (opened|created"
                r"|de creation|d ouverture|creation|ouverture)|(cree|creee|ouverte?)( le)?|created date|opened on",
                "closed_on": r"(closed|close|closing|won lost|actual close|cloture)( date| on| at| time)?|date "
                r"(closed|de cloture"
                r"|de fermeture|cloture|fermeture)|(fermee?|cloturee?|close)( le)?",
                "amount": r"((opportunity|deal|close|closed|total|sales|order|mrr|arr|contract|dollar|net) "
                r")?(amount|montant|value"
                r"|valeur)( (usd|eur|gbp|chf|cad|ht|total))?|(montant|valeur|ca) (de l affaire|de l opportunite"
                r"|previsionnel|estime)"
                r"|(opportunity|deal|sales|order|contract) (revenue|price)|mrr amount",
                "currency": r"(currency|devise|currency iso code|monnaie|currency code)",
                "kind": r"((opportunity|deal) )?(type|kind|nature)|type (d affaire|d opportunite|de vente)",
                "source": r"(lead |deal |original )?(source|origine|origin)|provenance|origine (de l affaire|du "
                r"lead|du contact)",
                "product": r"(product|produit|product name|product line|gamme|offre produit|supplies subgroup)( name)?",
                "stage": r"((opportunity|deal|sales) )?(stage|phase|etape)( name)?|etape (de vente|commerciale)",
                "probability": r"probability( percent)?|probabilite|proba",
                "modified_on": r"(last )?(modified|updated|modification)( date| on| at)?|modifie(e)? le|date de "
                r"(derniere )?modification",
            },
        ),
        "accounts": TableWords(
            r"\b(accounts?|companies|customers?|clients?|comptes?|societes?|entreprises?)\b",
            {
                "account_id": rf"{_id_of(_ACCOUNT)}|record id|id",
                "name": rf"{_ACCOUNT} name|name|nom( du compte| de la societe| client)?|raison sociale|{_ACCOUNT}",
                "created_on": r"(created|create|creation|signup|sign up|registered|registration|customer since)( date| on| at)?"
                r"|date de creation|creee? le|client depuis",
                "parent_id": r"parent( account| company)?( id)?|subsidiary of|maison mere|filiale de|societe mere|groupe",
                "sector": r"sector|industry|secteur( d activite)?|branche|vertical|activite|sector name|industrie",
                "country": r"(billing |head office |hq )?country( code)?|pays|office location",
                "region": r"(billing )?(region|territory|state province)|billing state|territoire|departement|regional office",
                "size_class": r"size( class)?|taille( d entreprise)?|categorie( d entreprise)?|company size",
                "headcount": r"(number of |nb |no of )?employees|headcount|effectifs?|salaries|nombre d "
                r"employes|nombre de salaries",
                "revenue": r"(annual |yearly )?(revenue|turnover)|chiffre d affaires|ca( annuel)?",
                "balance_sheet": r"balance sheet( total)?|total (du )?bilan|bilan",
                "business_model": r"business model|modele (economique|d affaires)",
                "modified_on": r"(last )?(modified|updated|modification)( date| on| at)?|modifie le",
            },
        ),
        "contacts": TableWords(
            r"\b(contacts?|people|persons?|interlocuteurs?)\b",
            {
                "contact_id": rf"{_id_of('(contact|person|personne|interlocuteur)')}|record id|id",
                "account_id": _id_of(_ACCOUNT),
                "role": r"(buying |contact )?role|role( d achat| decisionnel)?|fonction|job function|decision role",
                "seniority": r"seniority|niveau( hierarchique)?|level|management level",
                "known_on": r"(created|create|creation|known|added)( date| on| at)?|date de creation|creee? le"
                r"|connu le|ajoute le",
            },
        ),
        "activities": TableWords(
            r"\b(activit(y|ies|es?)|events?|tasks?|interactions?|meetings?|calls?|taches?|rendez vous|visits?"
            r"|tickets?|usage)\b",
            {
                "activity_id": rf"{_id_of('(activity|activite|event|task|interaction|ticket|usage)')}|record id|id",
                "account_id": _id_of(_ACCOUNT),
                "deal_id": _id_of(_DEAL),
                "contact_id": _id_of("(contact|person|interlocuteur)"),
                "kind": r"((activity|event|task|interaction) )?(type|kind|nature|channel)|type d activite|canal|feature name",
                "outcome": r"outcome|issue|resultat|meeting outcome|statut du rendez vous",
                "hours": r"hours|heures|duree heures|duration hours",
                "happened_on": r"((activity|event|due|start|usage|happened|completed|submitted) )?(date|on|at)"
                r"|date( de l activite)?|le"
                r"|date de debut|happened on|submitted at",
                "known_on": r"(created|entered|logged|known)( date| on| at)?|saisie? le|date de saisie|cree le|enregistre le",
            },
        ),
        "stage_changes": TableWords(
            r"\b(stages?|etapes?|(stage|pipeline) history|historique des etapes|opportunity history)\b",
            {
                "deal_id": _id_of(_DEAL),
                "stage": r"(to |new )?(stage|etape|phase)( name)?|nouvelle etape",
                "changed_on": r"(changed|change|entered|since|created|modified|from)( date| on| at)?|depuis( "
                r"le)?|date( de changement)?",
            },
        ),
        "invoices": TableWords(
            r"\b(invoices?|factures?|facturation|billing|orders?|commandes?|purchases?|achats?|transactions?"
            r"|payments?|master)\b",
            {
                "invoice_id": rf"{_id_of('(invoice|facture|order|commande|transaction|payment)')}|numero de facture|id",
                "account_id": _id_of(_ACCOUNT),
                "invoiced_on": r"((invoice|invoiced|order|billing|purchase|transaction|payment) )?(date|on)"
                r"|date( de (facture|facturation"
                r"|commande|l achat))?|facturee? le|invoiced on",
                "amount": r"((invoice|order|total|net|dollar|purchase|paid) )?(amount|montant|value|valeur)( "
                r"(ht|net|usd|eur|excl vat))?"
                r"|montant ht|total ht|(invoice|order|net) (revenue|total)",
                "margin": r"(gross )?margin|marge( brute)?",
                "currency": r"currency|devise|currency code",
            },
        ),
        "costs": TableWords(
            r"\b(costs?|couts?|depenses?|expenses?|spend)\b",
            {
                "month": r"month|mois|period|periode",
                "item": r"item|poste|category|categorie|type",
                "amount": rf"{_AMOUNT}( ht)?|cost|cout|spend",
                "currency": r"currency|devise",
            },
        ),
        "technologies": TableWords(
            r"\b(technolog(y|ies)|tech stack|technographics?|outils|logiciels)\b",
            {
                "account_id": _id_of(_ACCOUNT),
                "technology": r"technolog(y|ie)|tool|outil|logiciel|product name",
                "seen_on": r"(seen|detected|first seen|found)( date| on| at)?|vue? le|detectee? le|date",
            },
        ),
        "rates": TableWords(
            r"\b(rates?|taux|cours|exchange|conversion|currency type|fx)\b",
            {
                "currency": r"currency|devise|iso code|currency code|currency iso code",
                "rate": r"(conversion |exchange )?rate|taux|cours",
                "valid_on": r"valid( from| on)?|start date|date|depuis( le)?|next start date",
            },
        ),
    }
)

CELLS: dict[tuple[str, str], dict[str, str]] = {
    ("deals", "kind"): {
        r"new( business| deal| customer| client)?|nouve(au|lle)( affaire| client| business)?|newbusiness|acquisition": "new",
        r"(existing customer )?upgrade|upsell|up sell|cross sell|expansion|vente additionnelle|add on": "upsell",
        r"renewal|renouvellement|(existing customer )?replacement": "renewal",
    },
    ("contacts", "role"): {
        r"decideur|decideuse|decider|decision maker|executive sponsor|economic (buyer|decision maker)": "decider",
        r"prescripteur|prescriptrice|influencer|evaluator|technical buyer|champion": "influencer",
        r"acheteu(r|se)|buyer|purchasing|procurement|achats|budget holder": "buyer",
        r"utilisat(eur|rice)|user|end user|business user": "user",
        r"informatique|it|dsi|technical": "it",
        r"finance|finances|daf|cfo": "finance",
        r"juridique|legal|legal compliance": "legal",
    },
    ("activities", "kind"): {
        r"rendez vous|rdv|meeting|reunion|visite|appointment|demo": "meeting",
        r"appel|appel telephonique|call|phone call|phonecall|telephone": "call",
        r"courriel envoye|email out|email sent|e mail sent|email|e mail|outgoing email": "email_out",
        r"courriel recu|email reply|email received|reponse|incoming email": "email_reply",
        r"visite du site|page view|web visit|pageview": "page_view",
    },
    ("activities", "outcome"): {
        r"tenue?|held|completed|effectuee?|realisee?": "held",
        r"absente?|no show|noshow": "no_show",
        r"annulee?|cancell?ed": "cancelled",
    },
}


def meant_by(table: str, column: str, word: str) -> str | None:
    """Return winworth's level for a cell's word, or None where the word is not known.

    >>> meant_by("contacts", "role", "Décideur"), meant_by("contacts", "role", "Chef")
    ('decider', None)
    """
    plain = plain_words(word)
    return next((level for pattern, level in CELLS[table, column].items() if re.fullmatch(pattern, plain)), None)
