"""Who acts: a person in one role for one organisation, or the system on its own clock. Pure; no models."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pilot.enums import ADMIN_ROLES, BUREAU_ROLES, MINISTRY_ROLES, OFFICIAL_ROLES, PROVIDER_ROLES, Role


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts. Four-eyes rules compare ``person_id``; visibility looks at role, organisation and province."""

    role: str
    person_id: int | None = None
    name: str = ""
    organisation_id: int | None = None
    organisation_name: str = ""
    province: int | None = None
    channel: str = "web"
    address: str | None = None
    membership_id: int | None = None
    confirmed: bool = False  # who it is was asked again within the last minutes, for an act that is signed

    @classmethod
    def system(cls, job: str) -> Actor:
        """The portal itself, acting because a clock ran out or an upward decision requires it."""
        return cls(role=Role.SYSTEM, name=job, channel="job")

    def as_reader(self) -> Actor:
        """The actor without what no ``visibility`` looks at: the key of what is kept of it from page to page."""
        return replace(self, name="", organisation_name="", address=None, membership_id=None, confirmed=False)

    def downward(self) -> Actor:
        """The same person, acting through the system: an act of one app that sets the state of a case below it."""
        return replace(self, role=Role.SYSTEM)

    @property
    def acting_person(self) -> int:
        """The person's id, for acts that need a person. Raises ValueError for the system."""
        if self.person_id is None:
            raise ValueError(f"{self.name} is no person")
        return self.person_id

    @property
    def acting_organisation(self) -> int:
        """The organisation's id, for acts done for one. Raises ValueError for the system."""
        if self.organisation_id is None:
            raise ValueError(f"{self.name} acts for no organisation")
        return self.organisation_id

    @property
    def role_label(self) -> str:
        return str(Role(self.role).label)

    @property
    def is_system(self) -> bool:
        return self.role == Role.SYSTEM

    @property
    def is_provider(self) -> bool:
        return self.role in PROVIDER_ROLES

    @property
    def is_bureau(self) -> bool:
        return self.role in BUREAU_ROLES

    @property
    def is_ministry(self) -> bool:
        return self.role in MINISTRY_ROLES

    @property
    def is_assessor(self) -> bool:
        return self.role == Role.ASSESSOR

    @property
    def is_admin(self) -> bool:
        return self.role in ADMIN_ROLES

    @property
    def is_official(self) -> bool:
        return self.role in OFFICIAL_ROLES

    @property
    def sees_everything(self) -> bool:
        """Cases of the whole country: the ministry, and the system acting for it."""
        return self.is_ministry or self.is_system
