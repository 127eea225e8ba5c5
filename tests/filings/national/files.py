"""Files of national answers, written by hand as the interface describes them."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape


def _element(name: str, value: object) -> str:
    return "" if value is None else f"<{name}>{escape(str(value))}</{name}>"


def result(
    reference: object, *codes: int, operation: object = 1, words: str | None = None, remark: str | None = None
) -> str:
    """The result of an uploaded record; code 1060 unless said otherwise."""
    said = "".join(
        f"<Jgxx>{_element('Jgdm', code)}{_element('Dmms', words)}</Jgxx>" for code in codes or (1060,)
    )
    rest = _element("Czlx", operation) + _element("Bs", reference) + _element("Bz", remark)
    return f"<Jg_xx>{said}{rest}</Jg_xx>"


def review(
    reference: object, passed: object = 1, *, operation: object = 1, at: str | None = "2019-06-25 10:00:00"
) -> str:
    """A bureau's review."""
    parts = {
        "Shrxm": "示例审核员",
        "Shr_dhhm": "02012345678",
        "Shsj": at,
        "Shyj": "材料齐全",
        "Shjg": passed,
        "Czlx": operation,
        "Jlid": reference,
    }
    return f"<Gjsh>{''.join(_element(*part) for part in parts.items())}</Gjsh>"


def subject(
    person: tuple[int, str, str], reason: str | None = "名称与登记不符", *, reference: object = 9001
) -> str:
    """A check of a subject."""
    parts = {"Ztid": reference, "Dwmc": person[2], "Zjlx": person[0], "Zjhm": person[1], "Cwyy": reason}
    return f"<Zthc>{''.join(_element(*part) for part in parts.items())}</Zthc>"


def access(found: object = 1, *, at: str = "2019-06-26") -> str:
    """A check of an access."""
    parts = {"Wzid": 31, "Wz_Baxh": "粤ICP备19000001号-1", "Hcjg": found, "Hcsj": at}
    return f"<Jrhc>{''.join(_element(*part) for part in parts.items())}</Jrhc>"


def download(
    results: Iterable[str] = (),
    reviews: Iterable[str] = (),
    checks: Iterable[str] = (),
    *,
    encoding: str = "GBK",
    rest: str = "",
    business: str = "ICP",
) -> bytes:
    """The file with these records."""
    reviewed = "".join(reviews)
    bajg = "".join(results) + (f"<GJSHS>{reviewed}</GJSHS>" if reviewed else "")
    checked = "".join(checks)
    parts = (f"<BAJG>{bajg}</BAJG>" if bajg else "") + rest
    parts += f"<HCJG><Jgxx>{checked}</Jgxx></HCJG>" if checked else ""
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    return f'{head}<DownloadData version="V.3.0"><{business}>{parts}</{business}></DownloadData>'.encode(
        encoding
    )
