"""The draft of crm.yaml as text: YAML that a person edits, each guess with its evidence, each doubt as a line `# ? ...`."""

import json
import re
from collections.abc import Iterable, Mapping
from textwrap import wrap

from winworth.crm.wording import printable
from winworth.draft.drafted import UNSURE, Draft, DraftColumn, DraftJoin, DraftTable, LeftOut

_PLAIN = re.compile(r"[^\W\d_][\w .()/'+%-]*[\w.)%]|[^\W\d_]")
_SPECIAL = re.compile(r"(?i)y|n|yes|no|on|off|true|false|null|none|nan|inf")
_WIDTH = 118

_HEAD = """\
Drafted by `winworth init` from the files in {folder}. A guess has its evidence behind it: three cells and how many are filled.
A line that begins with `# ?` is a question: answer it by mending the line below it, then delete it.

`known` says when a cell could be known, and every column that a feature reads needs it:
  at_creation   stands from the first day and does not change
  dated         each row is dated, so that the past can be rebuilt
  latest_only   overwritten in place: yesterday's value is lost, so that a feature would read the future
  at_close      entered when the deal ended: never a feature
Nothing below is at_creation, for no test of one extract can prove it: a person says so, once for each
group of columns in doubt."""


def crm_yaml(draft: Draft) -> str:
    """Write the draft of crm.yaml; `config.load_settings` reads it back."""
    lines = [*_comments(_HEAD.format(folder=draft.folder).splitlines()), ""]
    for note in draft.notes:
        lines += _wrapped(note)
    lines += [f"company: {scalar(draft.company)}", f"folder: {scalar(draft.folder)}", "locale: iso"]
    for question in draft.questions:
        lines += _question(question)
    lines += [
        f"currency: {scalar(draft.currency)}" + (f"  # {printable(draft.currency_why, 300)}" if draft.currency_why else "")
    ]
    lines += ["", "tables:"]
    for table in draft.tables:
        lines += [*_table(table), ""]
    lines += _listed("Files that are not mapped", draft.unmapped)
    lines += _listed("Files that cannot be read", [LeftOut(one.file, one.why) for one in draft.refused])
    return "\n".join(lines).rstrip() + "\n"


def _table(table: DraftTable) -> list[str]:
    export = table.export
    looked = (
        "all looked at"
        if export.is_whole
        else f"{len(export.cells):,} of them looked at: the first, and stretches spread over the rest"
    )
    lines = [f"  {table.name}:"]
    for note in table.notes:
        lines += _wrapped(note, indent=4)
    for question in table.questions:
        lines += _question(question, indent=4)
    lines.append(f"    file: {scalar(export.file)}  # {export.n_rows:,} rows, {looked}")
    if export.dialect.separator != "," and not export.plain.is_parquet:
        lines.append(f"    separator: {scalar(export.dialect.separator)}")
    if export.dialect.quote != '"':
        lines.append(f"    quote: {scalar(export.dialect.quote)}")
    lines += [f"    encoding: {export.encoding}"] if export.encoding else []
    lines += [f"    locale: {table.locale}"] if table.locale not in (None, "iso") else []
    lines += ["    key: true"] if table.key else []
    lines += [f"    known: {table.known}  # a row is known from its day on"] if table.known else []
    lines += ["    columns:", *_columns(table.columns, table.name)]
    if table.joins:
        lines.append("    joins:")
        for join in table.joins:
            lines += _join(join, table.name)
    return lines + _listed("Not mapped", table.left_out, indent=4)


def _columns(columns: Iterable[DraftColumn], table: str) -> list[str]:
    """Write the columns; those in the same doubt share one anchor, so that one answer serves them all."""
    columns = sorted(columns, key=lambda column: column.known == UNSURE)
    anchor = f"{table}_{UNSURE}"
    lines: list[str] = []
    is_anchored = False
    for column in columns:
        for question in column.questions:
            lines += _question(question, indent=6)
        known = column.known
        if known == UNSURE:
            if not is_anchored:
                lines += _question(_unsure_asked(table, sum(column.known == UNSURE for column in columns)), indent=6)
            known = f"*{anchor}" if is_anchored else f"&{anchor} latest_only"
            is_anchored = True
        lines.append(f"      {_column(column, known)}")
    return lines


def _unsure_asked(table: str, n: int) -> str:
    row = "deal was opened" if table == "deals" else "row was entered"
    if n == 1:
        return f"Was this column filled in when the {row}, and never changed since? Then at_creation, else as it stands."
    return (
        f"Were the {n} columns from here on filled in when the {row}, and never changed since? Then write "
        f"at_creation here, once: the "
        f"others follow by *{table}_{UNSURE}. Where only some were, write at_creation in those, and at_close in "
        f"what is entered at a "
        "deal's end. Until somebody has answered, features on them are refused."
    )


def _column(column: DraftColumn, known: str | None) -> str:
    parts = [f"source: {scalar(column.source)}"]
    parts += [f"kind: {column.kind}"] if column.kind else []
    parts += [f"known: {known}"] if known else []
    parts += [f"{name}: {_value(value)}" for name, value in column.options.items()]
    return f"{column.name}: {{{', '.join(parts)}}}" + (f"  # {printable(column.why, 300)}" if column.why else "")


def _join(join: DraftJoin, table: str) -> list[str]:
    on = ", ".join(f"{name}: {scalar(header)}" for name, header in join.on.items())
    lines = [f"      - file: {scalar(join.file)}  # {printable(join.why, 300)}", f"        on: {{{on}}}"]
    lines += [f"        separator: {scalar(join.separator)}"] if join.separator else []
    lines.append("        columns:")
    for column in join.columns:
        known = f"*{table}_{UNSURE}" if column.known == UNSURE else column.known
        lines.append(f"          {_column(column, known)}")
    return lines


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key))}: {scalar(str(one))}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(scalar(str(one)) for one in value) + "]"
    return scalar(str(value))


def scalar(text: str) -> str:
    r"""Write a text so that YAML reads the same text back, whatever it holds.

    >>> print(scalar("Fermée le"), scalar("no"), scalar("a: b # c"), scalar("x\ny"), scalar("1.5"))
    Fermée le "no" "a: b # c" "x\ny" "1.5"
    """
    if _PLAIN.fullmatch(text) and not _SPECIAL.fullmatch(text) and text.isprintable():
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in quoted)


def _escaped(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def _listed(title: str, left_out: Iterable[LeftOut], indent: int = 0) -> list[str]:
    rows = [f"- {printable(one.what, 80)}: {printable(one.why, 400)}" for one in left_out]
    if not rows:
        return []
    return _comments([f"{title}:"], indent) + [line for row in rows for line in _wrapped(row, indent=indent)]


def _question(text: str, indent: int = 0) -> list[str]:
    first, *rest = wrap(printable(text, 2000), _WIDTH - indent)
    return [f"{' ' * indent}# ? {first}", *(f"{' ' * indent}#   {line}" for line in rest)]


def _wrapped(text: str, indent: int = 0) -> list[str]:
    return _comments(wrap(printable(text, 2000), _WIDTH - indent, subsequent_indent="  "), indent)


def _comments(lines: Iterable[str], indent: int = 0) -> list[str]:
    return [f"{' ' * indent}# {line}".rstrip() for line in lines]
