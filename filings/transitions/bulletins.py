"""A bulletin's life: compiled, signed by another person, published with its PDF; or discarded before that."""

from __future__ import annotations

from django.db.models import QuerySet

from filings.models import Bulletin
from filings.services.bulletin_papers import make_bulletin
from pilot.models import Membership
from pilot.selectors import people
from pilot.transitions import another_person
from pilot.workflow import Act, on


def compiler(bulletin: Bulletin) -> QuerySet[Membership]:
    """Audience: whoever compiled it."""
    return people.person(bulletin.compiled_by_id)


def everyone_concerned(bulletin: Bulletin) -> QuerySet[Membership]:
    """Audience: every bureau, and the units the bulletin reports on."""
    units = bulletin.programme.units.values("organisation")
    members = people.in_force()
    return members.filter(organisation__kind="bureau") | members.filter(organisation__in=units)


@on(Bulletin, "sign", guards=[another_person("compiled_by")], tell=[compiler])
def sign(bulletin: Bulletin, act: Act) -> None:
    """Another person than the compiler answers for the frozen figures."""
    bulletin.signed_by_id = act.actor.person_id


@on(Bulletin, "publish", tell=[everyone_concerned])
def publish(bulletin: Bulletin, act: Act) -> None:
    """The papers are made from the frozen figures; from now on anyone may read them."""
    make_bulletin(bulletin=bulletin, at=act.at)


@on(Bulletin, "discard", tell=[compiler], reason_required=True)
def discard(bulletin: Bulletin, act: Act) -> None:
    """Its number stays used, so that no two papers ever carry the same one."""
