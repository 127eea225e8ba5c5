"""``/ISPWebService/upDownLoad``: the address of the V3.0 service. It answers 404 while no unit has it switched on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from django.http import Http404, HttpResponse, HttpResponseNotAllowed
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from filings.intake.lines import Readable
from filings.intake.v3 import MAX_FILE
from filings.selectors.v3 import is_offered
from filings.services.v3_callers import Caller, identify
from filings.services.v3_calls import OPERATIONS, Call, perform
from filings.soap import envelope
from filings.soap.envelope import Envelope, EnvelopeFault
from filings.soap.wsdl import wsdl
from filings.v3.answers import Answer
from filings.v3.codes import CallRefused, MsgCode
from filings.v3.in_flight import Reservation
from pilot import clock
from pilot.database import AWAY
from pilot.errors import NotReady
from pilot.language import on_record
from pilot.middleware import client_address

logger = logging.getLogger(__name__)
PIECE: Final = 64 * 1024
MAX_REQUEST: Final = MAX_FILE * 3 // 2
"""Bytes of a request: the largest file in base64 with its line breaks, and the envelope."""
XML: Final = "text/xml; charset=utf-8"


class _RequestTooLarge(Exception):
    """More bytes than any call may have."""


# nosemgrep: csrf-exempt
@csrf_exempt  # callers prove who they are in every call; there is no session
def v3_service(request: Any) -> HttpResponse:
    """The description (``?wsdl``) or one call."""
    if not is_offered():
        raise Http404
    if request.method in {"GET", "HEAD"} and "wsdl" in map(str.lower, request.GET):
        # nosemgrep: address-of-the-host-header  (the WSDL names where it was fetched; ALLOWED_HOSTS holds)
        address = request.build_absolute_uri(reverse("v3_service"))
        return HttpResponse(wsdl(address), content_type=XML)
    if request.method != "POST":
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    with on_record():
        return _call(request)


class _Answered(HttpResponse):
    """An answer on whose way out the memory of its call is still held."""

    reservation: Reservation | None = None

    def close(self) -> None:
        """The answer has left."""
        super().close()
        if self.reservation is not None:
            self.reservation.release()


def _call(request: Any) -> HttpResponse:
    message = Envelope(request.content_params.get("charset", ""))
    try:
        response = _answer(request, message)
    except BaseException:
        message.reservation.release()
        raise
    response.reservation = message.reservation
    return response


def _answer(request: Any, message: Envelope) -> _Answered:
    try:
        answer = _carry_out(request, message)
    except EnvelopeFault as error:
        return _Answered(envelope.fault(error), content_type=XML, status=500)
    except CallRefused as refusal:
        answer = Answer(refusal.code, refusal.words, refusal.missing)
    except _RequestTooLarge:
        answer = Answer(MsgCode.TOO_LARGE)
    except (*AWAY, NotReady, InvalidTag) as fault:
        logger.error("v3: a call failed", exc_info=fault)
        answer = Answer(MsgCode.PORTAL_AWAY)
    except OSError as fault:
        logger.error("v3: a call failed", exc_info=fault)
        answer = Answer(MsgCode.STORE_AWAY)
    operation, namespace = message.operation, message.namespace
    if not operation:  # not read as far as its name; only an upload is so large
        operation, namespace = "isp_upload", envelope.NAMESPACE
    body = envelope.answer(operation, namespace, answer.as_xml(), encoded=message.encoded)
    return _Answered(body, content_type=XML)


def _carry_out(request: Any, message: Envelope) -> Answer:
    """Read the call, knowing who calls before its file is kept; then do it."""
    caller: Caller | None = None
    pieces = _pieces(request)
    for piece in pieces:
        message.feed(piece)
        if caller is None and message.at_content and message.says_who:
            try:
                caller = _identify(request, message)
            except CallRefused:
                for _rest in pieces:  # else the caller, still sending, might not read the answer
                    pass
                raise
    message.feed(b"", last=True)
    if message.operation not in OPERATIONS:
        raise EnvelopeFault("There is no such operation")
    caller = caller or _identify(request, message)
    call = Call(caller, message.arguments, message.content.content, message.reservation.take)
    return perform(message.operation, call)


def _identify(request: Any, message: Envelope) -> Caller:
    caller = identify(
        operation=message.operation if message.operation in OPERATIONS else "unknown",
        arguments=message.arguments,
        address=client_address(request),
        arrived_at=clock.business(request.arrived),
    )
    message.content.vouch()
    return caller


def _pieces(request: Any) -> Iterator[bytes]:
    """The body piece by piece. Raises :class:`_RequestTooLarge`, before reading where the length is stated."""
    stream: Readable = request
    stated = request.META.get("CONTENT_LENGTH") or ""
    if not stated and request.META.get("wsgi.input_terminated"):
        stream = request.META["wsgi.input"]  # sent in chunks, which the web server puts together
    elif stated.isdigit() and int(stated) > MAX_REQUEST:
        raise _RequestTooLarge
    left = MAX_REQUEST
    while piece := stream.read(PIECE):
        left -= len(piece)
        if left < 0:
            raise _RequestTooLarge
        yield piece
