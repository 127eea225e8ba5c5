"""A small invented world for tests: the programme, people in every role, providers, the business clock."""

from __future__ import annotations

from datetime import datetime
from itertools import count

from pilot import clock
from pilot.actors import Actor
from pilot.enums import OrganisationKind, Province, Role
from pilot.models import Membership, Organisation, Programme
from pilot.rules import SHANGHAI
from pilot.selectors import people as people_selectors
from pilot.services import people, programmes

SETUP = Actor.system("tests")
PASSWORD = "测试-口令-2019"
_serial = count(1)

# Valid by GB 32100, class 91, invented.
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc(serial: int, province: int = 44) -> str:
    """A valid unified social credit code made from a serial number."""
    body = f"91{province}0000{serial:08d}X"
    total = sum(_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + _ALPHABET[(31 - total % 31) % 31]


def moment(text: str) -> datetime:
    """``"2019-04-12 09:00"`` in Asia/Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def at(text: str) -> datetime:
    """Set business time to a moment in Asia/Shanghai and return it; it ticks on from there."""
    when = moment(text)
    clock.set_business_time(when)
    return when


def install() -> Programme:
    """The programme 87号, with business time set inside its application window."""
    at("2019-04-12 09:00")
    return programmes.install(code="2019-87", actor=SETUP)


def person(organisation: Organisation, role: str, name: str = "") -> Actor:
    """A new person in a role of an organisation, as the actor that person is."""
    serial = next(_serial)
    membership: Membership = people.add_person(
        actor=SETUP,
        username=f"t{serial:04d}",
        name=name or f"示例{serial}",
        password=PASSWORD,
        organisation=organisation,
        role=role,
        valid_from=moment("2019-01-01 00:00"),
    )
    return membership.as_actor()


def ministry(role: str = Role.MINISTRY_OFFICER) -> Actor:
    """A new person of the ministry."""
    return person(Organisation.objects.get(kind=OrganisationKind.MINISTRY), role)


def bureau(role: str = Role.BUREAU_REVIEWER, province: int = Province.GUANGDONG) -> Actor:
    """A new person of a province's bureau."""
    return person(people_selectors.bureau_of(province), role)


def agency() -> Organisation:
    """A new assessment agency."""
    serial = next(_serial)
    return people.add_organisation(actor=SETUP, kind=OrganisationKind.AGENCY, name=f"示例评估中心{serial}")


def assessor(organisation: Organisation | None = None) -> Actor:
    """A new assessor of an agency."""
    return person(organisation or agency(), Role.ASSESSOR)


def provider(province: int = Province.GUANGDONG, role: str = Role.PROVIDER_ADMIN) -> Actor:
    """A new provider with one person, as an actor."""
    serial = next(_serial)
    organisation = people.add_organisation(
        actor=SETUP,
        kind=OrganisationKind.PROVIDER,
        name=f"示例网络科技{serial}有限公司",
        province=province,
        uscc=uscc(serial, int(province)),
        phone="020-00000001",
    )
    return person(organisation, role)
