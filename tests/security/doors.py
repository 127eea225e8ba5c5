"""Every address that names an object: whose it is. Written by hand from design.md, "People and visibility".

Whoever is in ``known`` gets at the object by that address; for whoever else has a role that may open it, it does not
exist (404); a role that may not is told so (403) by ``policy.toml``. Addresses of the machines' own pages
(``_detail``, ``_act``, ``_task``) have their table in tests/architecture/test_objects.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

PROVIDER: Final = {"own operator", "own administrator"}
BUREAU: Final = {"own reviewer", "own lead"}
MINISTRY: Final = {"officer", "approver"}
CASES: Final = PROVIDER | BUREAU | MINISTRY
EVERY_BUREAU: Final = BUREAU | {"other bureau"}
OFFICIALS: Final = EVERY_BUREAU | MINISTRY
ADMINS: Final = {"system administrator", "security administrator", "audit administrator"}


@dataclass(frozen=True, slots=True)
class Door:
    """An address: what it says of the object (name in the scene), what it says beside it, and who knows the object."""

    object: str
    known: frozenset[str]
    param: str = "pk"
    more: tuple[tuple[str, Any], ...] = ()

    def address(self, at: dict[str, Any]) -> dict[str, Any]:
        return {self.param: at[self.object], **self._beside(at)}

    def nowhere(self, at: dict[str, Any]) -> dict[str, Any]:
        """The same address of an object that nobody has."""
        return {self.param: ABSENT[self.param], **self._beside(at)}

    def _beside(self, at: dict[str, Any]) -> dict[str, Any]:
        return {name: at[value[1:]] if str(value).startswith("@") else value for name, value in self.more}


LED_AWAY: Final = {"mfa_edit_webauthn", "mfa_remove_webauthn"}
"""Addresses of allauth that ask everybody who it is before they look for anything."""

ABSENT: Final = {
    "pk": 2**31 - 1,
    "code": "NOBODY-1",
    "token": "0" * 43,
    "key": "00000000-0000-4000-8000-000000000000",
    "machine": "x-x",
    "province": 1,
}


def door(thing: str, known: set[str], param: str = "pk", **more: Any) -> Door:
    return Door(thing, frozenset(known), param, tuple(more.items()))


def doors(names: str, thing: str, known: set[str], param: str = "pk", **more: Any) -> dict[str, Door]:
    """Several addresses of one object."""
    return {name: door(thing, known, param, **more) for name in names.split()}


DOORS: Final[dict[str, Door]] = {
    # --- intake ---
    **doors(
        "application_form application_check application_receipt application_proof application_progress "
        "application_urge application_prefill application_prefill_pdf application_prefill_xlsx application_files "
        "application_upload_begin",
        "application",
        PROVIDER,
    ),
    "application_section": door("application", PROVIDER, section="unit"),
    "application_file_remove": door("application", PROVIDER, file=1),
    **doors("application_upload application_upload_finish", "upload", PROVIDER, "token"),
    **doors("application_review application_claim", "application", BUREAU),
    "application_file": door("file", CASES | {"assessor of the case"}),
    "application_page": door("file", CASES | {"assessor of the case"}, page=1),
    **doors("document document_copy", "document", CASES | {"assessor of the case"}),
    # --- assessment ---
    **doors("test_run test_run_set", "test run", PROVIDER | MINISTRY | {"assessor of the case"}),
    "test_run_hand_in": door("test run", PROVIDER),
    # --- the run phase ---
    **doors("upload-job_rejects upload-job_submit", "job", PROVIDER),
    **doors("upload-job_progress upload-job_repeats", "job", CASES),
    **doors("upload-job_piece upload-job_finish", "pieces", PROVIDER, "key"),
    **doors("inspection_read inspection_settle", "inspection", BUREAU),  # of the office that inspects
    **doors("pilot-unit_detail national", "unit", PROVIDER | OFFICIALS, "code"),
    "national_file": door("national file", CASES, code="@unit"),
    "pilot-unit_scope": door("unit", {"officer"}, "code"),
    "pilot-unit_licence": door("unit", BUREAU, "code"),
    "national_import": door("unit", {"officer"}, "code"),
    "figure": door("unit", PROVIDER | OFFICIALS, "code", period="2019-06", count="m2_n"),
    "province": door("province", BUREAU | MINISTRY, "province"),
    "verification-form_detail": door("form", CASES),
    **doors("published_bulletin", "bulletin", set()),
    "published_bulletin_file": door("bulletin", set(), kind="pdf"),
    # --- a provider's ways in ---
    "api_key_revoke": door("key", {"own administrator"}),
    **doors(
        "webhook_detail webhook_change webhook_rotate webhook_pause webhook_resume webhook_test webhook_remove",
        "webhook",
        {"own administrator"},
    ),
    "webhook_replay": door("delivery", {"own administrator"}),
    # --- one's own ---
    "notice_read": door("notice", {"own administrator"}),
    "session_end": door("session", {"own administrator"}),
    **doors("mfa_edit_webauthn mfa_remove_webauthn", "factor", {"own administrator"}),
    **doors("export_detail export_file", "export", {"own reviewer"}),
    "list_view": door("view", {"own reviewer"}, machine="finding"),
    **doors("list_export list_views", "list", OFFICIALS, "machine"),
    "list_batch": door("list", set(), "machine", name="x"),
    # --- administration ---
    **doors(
        "person_detail person_invite_again person_disable person_reopen person_unlock person_sessions",
        "person",
        ADMINS,
    ),
    "audit_detail": door("audit entry", {"audit administrator"}),
    "audit_check": door("audit check", {"audit administrator"}),
}
"""URL name → its door."""

WITHOUT_OBJECT: Final = {
    "material_sample": "the kind of a sample that everybody may look at",
    "upload-job_template": "a format; the file is made of invented data",
    "ui_kit": "the name of a sample page",
    "api_problem": "the code of a problem",
    "help_topic": "the name of a page; what it says holds no object",
    "rule_detail": "the key of a rule of the programme, which all officials read",
    "rule_enter": "the same",
    "published_list_pdf": "the number of a published list; an unpublished one has none",
    "receipt_check": "a code that only the receipt tells",
    "access_link": "a secret of at least 128 bits that only its mail tells",
}
"""Addresses that say something, but of no one's object, and what they say."""
