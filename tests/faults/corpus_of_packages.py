"""Faults F19 to F22: what is packed, what is no text, and what is no file that can be read."""

import gzip
import os
import zipfile

from clean_crm import Crm, Refused, Verdict

from winworth.errors import ResourceError


def f19_a_bomb_in_gzip(crm: Crm) -> Verdict:
    crm.write("deals.csv.gz", gzip.compress(b"a" * 20_000_000))
    crm.option("deals", file="deals.csv.gz")
    return Refused(says=("^deals.csv.gz unpacks to more than",), error=ResourceError, exit_code=7)


def f19_a_bomb_in_zip(crm: Crm) -> Verdict:
    return zipped(crm, "deals.csv", "a" * 20_000_000, "unpacks to more than", ResourceError, 7)


def f19_a_zip_within_a_zip(crm: Crm) -> Verdict:
    return zipped(crm, "deals.zip", "x", 'holds "deals.zip", which is no .csv')


def f19_a_member_that_leaves_its_folder(crm: Crm) -> Verdict:
    return zipped(crm, "../deals.csv", "x", r'holds "../deals.csv", a path that leaves its folder')


def f19_a_member_of_the_root(crm: Crm) -> Verdict:
    return zipped(crm, "/etc/deals.csv", "x", 'holds "/etc/deals.csv", a path that leaves its folder')


def f19_a_member_of_a_drive(crm: Crm) -> Verdict:
    return zipped(crm, "C:/deals.csv", "x", 'holds "C:/deals.csv", a path that leaves its folder')


def f19_a_member_that_leaves_its_folder_on_windows(crm: Crm) -> Verdict:
    return zipped(crm, "..\\deals.csv", "x", r"holds .*, a path that leaves its folder")


def f19_two_members(crm: Crm) -> Verdict:
    with zipfile.ZipFile(crm.folder / "deals.zip", "w") as archive:
        archive.writestr("a.csv", "x")
        archive.writestr("b.csv", "x")
    crm.option("deals", file="deals.zip")
    return Refused(says=(r"^deals.zip holds 2 members \(a.csv, b.csv\)",))


def f19_a_member_that_is_a_link(crm: Crm) -> Verdict:
    link = zipfile.ZipInfo("deals.csv")
    link.external_attr = 0o120777 << 16
    return zipped(crm, link, "/etc/hostname", 'holds "deals.csv", a folder, a link')


def f20_a_file_that_grows_while_it_is_read(crm: Crm) -> Verdict:
    from winworth.crm import source

    path, written = crm.write("deals.csv", crm.text("deals")), source._written

    def and_grow(*args):
        plain = written(*args)
        with path.open("a") as file:
            file.write(crm.lines["deals"][1])
        return plain

    crm.patch.setattr(source, "_written", and_grow)
    return Refused(says=("^deals.csv changed while it was read. Wait for the export to end",))


def f21_a_folder(crm: Crm) -> Verdict:
    (crm.folder / "deals.csv").mkdir()
    crm.written.add("deals.csv")
    return Refused(says=(r"deals\.csv is not a regular file\. Name the exported file itself",))


def f21_a_pipe_that_nobody_fills(crm: Crm) -> Verdict:
    os.mkfifo(crm.folder / "deals.csv")
    crm.written.add("deals.csv")
    return Refused(says=(r"deals\.csv is not a regular file\. Name the exported file itself",))


def f21_a_device(crm: Crm) -> Verdict:
    (crm.folder / "deals.csv").symlink_to("/dev/zero")
    crm.written.add("deals.csv")
    return Refused(says=(r"deals\.csv is not a regular file\. Name the exported file itself",))


def f21_a_link_to_itself(crm: Crm) -> Verdict:
    (crm.folder / "deals.csv").symlink_to(crm.folder / "deals.csv")
    crm.written.add("deals.csv")
    return Refused(says=("deals.csv .*",))


def f21_a_file_that_may_not_be_read(crm: Crm) -> Verdict:
    from winworth.crm import source

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    crm.patch.setattr(source.hashlib, "file_digest", refuse)
    return Refused(says=("^deals.csv cannot be read: Permission denied",))


def f22_an_excel_workbook(crm: Crm) -> Verdict:
    crm.write("deals.csv", b"PK\x03\x04" + b"\0" * 100)
    return Refused(says=("^deals.csv is an Excel workbook .*Export it as CSV",))


def f22_an_old_excel_workbook(crm: Crm) -> Verdict:
    crm.write("deals.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100)
    return Refused(says=("^deals.csv is an old Excel workbook. Export it as CSV",))


def f22_a_web_page(crm: Crm) -> Verdict:
    crm.write("deals.csv", "<html><table><tr><td>D1</td></tr></table></html>")
    return Refused(says=("^deals.csv is a web page or XML",))


def f22_a_pdf(crm: Crm) -> Verdict:
    crm.write("deals.csv", b"%PDF-1.7\n")
    return Refused(says=("^deals.csv is a PDF document",))


def zipped(crm: Crm, member, content: str, says: str, error=None, exit_code: int = 3) -> Verdict:
    with zipfile.ZipFile(crm.folder / "deals.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, content)
    crm.option("deals", file="deals.zip")
    options = {"error": error} if error else {}
    return Refused(says=(f"^deals.zip {says}",), exit_code=exit_code, **options)
