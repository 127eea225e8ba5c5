"""What the rules in answers.yml have to find (ruleid) and to leave alone (ok): `semgrep --test .ci/semgrep`."""

import logging
from string import Template

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.csrf import csrf_exempt

from pilot.downloads import as_download
from pilot.errors import Refused

logger = logging.getLogger(__name__)


def marks(name, words):
    # ruleid: markup-made-of-data
    mark_safe(name)
    # ruleid: markup-made-of-data
    SafeString(f"<b>{name}</b>")
    # ruleid: markup-made-of-data
    format_html(f"<b>{name}</b>")
    # ruleid: markup-made-of-data
    format_html("<b>%s</b>" % name)
    # ruleid: markup-made-of-data
    format_html("<b>" + name)
    # ok: markup-made-of-data
    SafeString("--")
    # ok: markup-made-of-data
    format_html("<b>{}</b>", name)
    # ok: markup-made-of-data
    return format_html(words, name)


class Name:
    # ruleid: markup-made-of-data
    def __html__(self):
        return self.name

    # ok: markup-made-of-data
    def __str__(self):
        return self.name


def answers(name, context):
    # ruleid: page-without-a-template
    HttpResponse(f"<p>{name}</p>")
    # ruleid: page-without-a-template
    HttpResponse(name, status=404)
    # ruleid: page-without-a-template
    HttpResponse(name, content_type="text/html; charset=utf-8")
    # ok: page-without-a-template
    HttpResponse(status=204)
    # ok: page-without-a-template
    HttpResponse(name, content_type="text/plain; charset=utf-8")
    # ok: page-without-a-template
    return HttpResponse(render_to_string("500.html", context), status=500)


def renders(context):
    content = render_to_string("503.html", context)
    # ok: page-without-a-template
    return HttpResponse(content, status=503)


def hands_out(content):
    # ruleid: file-past-the-door
    return FileResponse(content)


def streams_out(content, name):
    # ruleid: file-past-the-door
    response = StreamingHttpResponse(content, content_type="text/csv")
    # ruleid: file-past-the-door
    response["Content-Disposition"] = f"attachment; filename={name}"
    return response


def saves(content, name):
    # ok: file-past-the-door
    response = StreamingHttpResponse(content, content_type="text/csv")
    return as_download(response, name)


def remembers(response, value):
    # ruleid: cookie-without-flags
    response.set_cookie("seen", value)
    # ruleid: cookie-without-flags
    response.set_cookie("seen", value, secure=True, samesite="Lax")
    # ruleid: cookie-without-flags
    response.set_cookie("seen", value, secure=True, samesite="Lax", httponly=False)
    # ok: cookie-without-flags
    response.set_cookie("seen", value, max_age=5, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax")


def leads_on(self, request, response):
    # ruleid: redirect-to-what-came
    redirect(request.GET["next"])
    back = request.headers.get("Referer") or "/"
    # ruleid: redirect-to-what-came
    HttpResponseRedirect(f"{back}#top")
    # ruleid: redirect-to-what-came
    redirect(self.request.POST.get("back", "home"))
    # ruleid: redirect-to-what-came
    response["HX-Redirect"] = request.POST["next"]
    # ok: redirect-to-what-came
    redirect(reverse("person_detail", args=[request.POST["person"]]))
    # ok: redirect-to-what-came
    redirect(f"{request.path}?{request.GET.urlencode()}")
    # ok: redirect-to-what-came
    return redirect("home")


def fails(request, service):
    try:
        service()
    except OSError as error:
        # ruleid: fault-told-outside
        return HttpResponse(str(error), content_type="text/plain", status=500)
    except Exception as error:
        # ruleid: fault-told-outside
        JsonResponse({"detail": f"failed: {error}"})
        # ruleid: fault-told-outside
        messages.error(request, str(error))
        # ruleid: fault-told-outside
        return render(request, "500.html", {"reason": repr(error)})


def refuses(request, service):
    try:
        service()
    except Refused as refusal:
        # ok: fault-told-outside
        messages.error(request, str(refusal))
    except OSError as error:
        # ok: fault-told-outside
        logger.warning("scanner: %s", str(error))


# ruleid: csrf-exempt
@csrf_exempt
def takes_posts(request):
    pass


# ruleid: csrf-exempt
door = csrf_exempt(hands_out)


# ok: csrf-exempt
def asks_for_the_token(request):
    pass


def addresses(request):
    # ruleid: address-of-the-host-header
    request.build_absolute_uri("/")
    # ruleid: address-of-the-host-header
    request.get_host()
    # ok: address-of-the-host-header
    return f"{settings.PILOT_SITE}{reverse('home')}"


def formats(case, row, engine, WORDS):
    # ruleid: data-as-a-format
    case.subject.format(number=1)
    # ruleid: data-as-a-format
    row["subject"].format_map({})
    # ruleid: data-as-a-format
    Template(case.subject)
    # ruleid: data-as-a-format
    engine.from_string(case.subject)
    # ok: data-as-a-format
    WORDS.SUBJECT.format(number=1)
    # ok: data-as-a-format
    return "{number}".format(number=1)


def logs(person, request, form, given):
    # ruleid: person-in-the-log
    logger.info("signed in: %s", person.username)
    # ruleid: person-in-the-log
    logger.warning(f"no mail to {person.email}")
    # ruleid: person-in-the-log
    logger.debug("posted %s", request.POST)
    # ruleid: person-in-the-log
    logger.error("refused %s", form.cleaned_data["phone"])
    # ruleid: person-in-the-log
    logger.error("refused %s", given["id_number"])
    # ok: person-in-the-log
    logger.info("signed in: %s", person.pk)


def decides():
    # ruleid: debug-decides
    if settings.DEBUG:
        return "everything"
    # ok: debug-decides
    return settings.PILOT_SITE
