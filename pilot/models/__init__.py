"""Models of the kernel, one file per aggregate."""

from pilot.models.access import AccessLink
from pilot.models.api import ApiKey, IdempotentAnswer
from pilot.models.audit import AuditBlock, AuditCheck, AuditHead
from pilot.models.exports import Export
from pilot.models.kernel import (
    AuditEntry,
    AuditSeal,
    BusinessClock,
    Document,
    Notice,
    NumberSequence,
    OutboxMessage,
    TransitionRecord,
)
from pilot.models.objections import Objection, ObjectionState
from pilot.models.organisations import (
    Membership,
    Organisation,
    Person,
    ProviderRegistration,
    RegistrationState,
    RoleChange,
    RoleChangeState,
)
from pilot.models.phrases import Phrase
from pilot.models.programme import (
    CalendarChange,
    CalendarDay,
    Condition,
    Programme,
    ProgrammeRule,
    ProposalState,
    Window,
    WindowExtension,
)
from pilot.models.register import PilotUnit, ScopeChange, UnitScope, UnitStatus
from pilot.models.saved_views import SavedView
from pilot.models.webhooks import WebhookDelivery, WebhookEndpoint, WebhookOutcome

__all__ = [
    "AccessLink",
    "ApiKey",
    "AuditBlock",
    "AuditCheck",
    "AuditEntry",
    "AuditHead",
    "AuditSeal",
    "BusinessClock",
    "CalendarChange",
    "CalendarDay",
    "Condition",
    "Document",
    "Export",
    "IdempotentAnswer",
    "Membership",
    "Notice",
    "NumberSequence",
    "Objection",
    "ObjectionState",
    "Organisation",
    "OutboxMessage",
    "Person",
    "Phrase",
    "PilotUnit",
    "Programme",
    "ProgrammeRule",
    "ProposalState",
    "ProviderRegistration",
    "RegistrationState",
    "RoleChange",
    "RoleChangeState",
    "SavedView",
    "ScopeChange",
    "TransitionRecord",
    "UnitScope",
    "UnitStatus",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookOutcome",
    "Window",
    "WindowExtension",
]
