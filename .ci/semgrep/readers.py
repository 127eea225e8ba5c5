"""What the rules in readers.yml have to find (ruleid) and to leave alone (ok): `semgrep --test .ci/semgrep`."""

import http.client
import os
import secrets
import shutil
import socket

# ruleid: archive-unpacked-to-disk
import tarfile
import urllib.request
from pathlib import Path

import lxml.html
import requests
from lxml import etree
from PIL import Image

# ruleid: paper-past-its-engine
from weasyprint import HTML

from filings.writers import PARSER
from pilot import outward, pdf_engine


def reads(raw, stream):
    # ruleid: xml-read-trustingly
    etree.fromstring(raw)
    # ruleid: xml-read-trustingly
    etree.parse(stream)
    # ruleid: xml-read-trustingly
    etree.XMLParser(no_network=True)
    # ruleid: xml-read-trustingly
    etree.XMLParser(resolve_entities=True, no_network=True, load_dtd=False)
    # ruleid: xml-read-trustingly
    etree.iterparse(stream, events=("end",))
    # ruleid: xml-read-trustingly
    lxml.html.fromstring(raw)
    # ok: xml-read-trustingly
    etree.fromstring(raw, PARSER)
    # ok: xml-read-trustingly
    etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    # ok: xml-read-trustingly
    etree.tostring(raw)


def fetches(url, host):
    # ruleid: line-past-outward
    urllib.request.urlopen(url)
    # ruleid: line-past-outward
    requests.get(url, timeout=5)
    # ruleid: line-past-outward
    http.client.HTTPSConnection(host)
    # ruleid: line-past-outward
    socket.create_connection((host, 443))
    # ok: line-past-outward
    outward.post(url, b"")


def prints(html):
    # ruleid: paper-past-its-engine
    HTML(string=html).write_pdf()
    # ok: paper-past-its-engine
    return pdf_engine.write(html)


def finds(self, request, upload, folder, key):
    # ruleid: path-of-a-request
    open(request.GET["file"])
    name = request.POST.get("name", "")
    # ruleid: path-of-a-request
    (folder / name).read_bytes()
    # ruleid: path-of-a-request
    Path("/var/files", self.request.query_params["file"])
    # ruleid: path-of-a-request
    os.path.join("/var/files", f"{name}.pdf")
    # ruleid: path-of-a-request
    shutil.copy("/var/files/new", upload.name)
    # ok: path-of-a-request
    (folder / key.hex).read_bytes()
    # ok: path-of-a-request
    return {"file": request.GET["file"]}


def unpacks(archive, folder):
    # ruleid: archive-unpacked-to-disk
    archive.extractall(folder)
    # ruleid: archive-unpacked-to-disk
    shutil.unpack_archive("new.zip", folder)
    # ok: archive-unpacked-to-disk
    return archive.open("xl/workbook.xml")


def draws(stream):
    # ruleid: picture-of-any-kind
    Image.open(stream)
    # ok: picture-of-any-kind
    return Image.open(stream, formats=("PNG",))


def opens(key, secret, given, kind):
    # ruleid: secret-compared-in-time
    if key.secret == given:
        return True
    # ruleid: secret-compared-in-time
    if secret != given:
        return False
    # ok: secret-compared-in-time
    if kind == given or secret == "":
        return False
    # ok: secret-compared-in-time
    return secrets.compare_digest(key.secret, given)
