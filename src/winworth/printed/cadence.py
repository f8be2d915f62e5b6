"""What monthly and quarterly print: a line a step, where the record is, and how to go on."""

from typing import TYPE_CHECKING, Any

from winworth.printed.report import Report, plain_table

if TYPE_CHECKING:
    from winworth.flows.cadence import Went

STANDS = "stands"  # as an earlier run left it
VERDICTS = {
    "recalibrate": "monitor advises to recalibrate: winworth recalibrate, then promote.",
    "retrain": "monitor advises to retrain: winworth quarterly, or train and promote.",
    "stop": "monitor advises to stop: do not import these scores before what it names is mended.",
}


def went(done: "Went") -> Report:
    """Show every step with its exit code and warnings; a refusal's sentence goes to standard error."""
    record, cadence = done.record, done.record["cadence"]
    title = f"{cadence.capitalize()} run as of {record['as_of']}: {record['verdict'].replace('_', ' ')}"
    table = plain_table(title, ["step", "", "what it says", "code", "notes"], n_text=3)
    for entry in record["steps"]:
        if "error" in entry:
            how = "passed over" if entry.get("passed_over") else "refused"
            table.add_row(entry["step"], how, entry["error"], str(entry["exit_code"]), "")
            continue
        how = "ran" if entry["step"] in done.ran else STANDS
        table.add_row(entry["step"], how, entry["says"], str(entry["exit_code"]), str(entry["n_warnings"] or ""))
    reached = {entry["step"] for entry in record["steps"]}
    for name in done.left:
        if name not in reached:
            table.add_row(name, "not run", "", "", "")
    document = record | {"record": str(done.path), "ran": list(done.ran), "left": list(done.left)}
    refused = done.refused
    if refused:
        document |= {"error": refused["error"], "message": refused["says"]}
    return Report([table, *_way_on(done), f"Record: {done.path}"], document)


def _way_on(done: "Went") -> list[Any]:
    record, refused = done.record, done.refused
    if refused is None:
        return [VERDICTS[record["verdict"]]] if record["verdict"] in VERDICTS else []
    again = f"winworth {record['cadence']}"
    said = [f"It stops at {refused['step']}. Once that is mended, run {again} again: it goes on from there."]
    if refused["step"] == "promote" and not (done.path.parents[1] / "models" / "champion").exists():
        said.append("There is no champion yet: winworth review writes the page that says why, with no account.")
    elif refused["step"] == "promote":
        said.append(f"To go on with the champion as it is: {again} --from predict.")
    if refused["step"] == "compare":
        said.append(f"To go on without it: {again} --from promote.")
    return said
