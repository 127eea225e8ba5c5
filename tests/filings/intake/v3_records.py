"""V3.0 records and uploads to begin with, and what the check says of them."""

from __future__ import annotations

import base64
import io
import struct
import zlib

from filings.intake.decode import FileFormat, check, read_rows
from filings.intake.records import CheckedRow, UnitContext, V3Facts
from filings.intake.v3_codes import national_code

JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8yb"
    "qmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAM"
    "ABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAL/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAAAgP/"
    "xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwCgFAf/2Q=="
)


def png() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\x00\x00"))
        + chunk(b"IEND", b"")
    )


def picture(use: int, owner_kind: int, owner: str, content: bytes = JPEG, file_format: int = 1) -> str:
    return (
        f"<Fjxx><Fjwjgs>{file_format}</Fjwjgs><Fjyt>{use}</Fjyt><Fjnr>{base64.b64encode(content).decode()}</Fjnr>"
        f"<Fjssdx><Ssdxlx>{owner_kind}</Ssdxlx><Ssdxbs>{owner}</Ssdxbs></Fjssdx></Fjxx>"
    )


PERSON = (
    "<Fzr_xm>张示例</Fzr_xm><Fzr_dhhm>010-12345678</Fzr_dhhm><Fzr_sjhm>13800138000</Fzr_sjhm>"
    "<Fzr_dzyj>a@example.cn</Fzr_dzyj><Fzr_zjlx>2</Fzr_zjlx><Fzr_zjhm>11010519491231002X</Fzr_zjhm>"
)
SUBJECT = (
    "<Dwmc>示例网络科技有限公司</Dwmc><Dwxz>4</Dwxz><Txdz><Shengid>110000</Shengid><Shiid>110100</Shiid>"
    "<Xianid>110101</Xianid><Xxdz>示例路1号</Xxdz></Txdz><Zj><Zjlx>1</Zjlx><Zjhm>91110108MA01ABCD5T</Zjhm>"
    "<Zjzs>示例路1号</Zjzs></Zj><Fzr>" + PERSON + "</Fzr>"
)
ACCESS = (
    "<Wzfb><Fbdd>1</Fbdd></Wzfb><Wzjrfs><Jrfs>16</Jrfs></Wzjrfs>"
    "<Ip_xx><IspIpid>1</IspIpid><Qsip>794387210</Qsip><Zzip>794387210</Zzip></Ip_xx>"
)
SITE = (
    "<Wzmc>示例主页</Wzmc><Fwnr><Fwnr_id>1</Fwnr_id></Fwnr><Yylb><Yylb_id>1</Yylb_id></Yylb>"
    "<Ym_xx><IspYmid>1</IspYmid><Ym>shili-one.cn</Ym></Ym_xx><Jr_xx><IspJrid>1</IspJrid>"
    + ACCESS
    + "</Jr_xx>"
    "<Wz_Fzr>" + PERSON + "</Wz_Fzr><Syurl>www.shili-one.cn</Syurl>"
)
PICTURES = "".join(
    f"<Fj>{item}</Fj>" for item in (picture(2, 1, "7"), picture(3, 1, "7"), picture(5, 2, "8"))
)
FILING = (
    f"<Baxx><Zt_xx><IspZtid>7</IspZtid>{SUBJECT}<Bbfs>1</Bbfs></Zt_xx>"
    f"<Wz_xx><IspWzid>8</IspWzid>{SITE}</Wz_xx>{PICTURES}</Baxx>"
)
CHANGE = (
    f"<Bgxx><Zt_xx><Ztid>70</Ztid><Baxh>京ICP备12345678号</Baxh>{SUBJECT}</Zt_xx>"
    f"<Wz_xx><Wzid>80</Wzid>{SITE}<Baxh>京ICP备12345678号-1</Baxh></Wz_xx></Bgxx>"
)
NEW_SITE = (
    f"<Xzxx><Zt_xx><Ztbah>京ICP备12345678号</Ztbah></Zt_xx><Wz_xx><IspWzid>9</IspWzid>{SITE}</Wz_xx></Xzxx>"
)
NEW_ACCESS = (
    f"<Xzxx><Wz_xx><Wzbah>京ICP备12345678号-1</Wzbah></Wz_xx><IspJrid>3</IspJrid>{ACCESS}"
    "<ICPmm>5f4dcc3b5aa765d61d8327deb882cf99</ICPmm></Xzxx>"
)


def upload(records: str, operation: str = "XZBA", provider: str = "1001", encoding: str = "GBK") -> bytes:
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><UploadData version="V.3.0">'
        f"<ICP><{operation}>{records}</{operation}><Qqdwid>{provider}</Qqdwid></ICP></UploadData>"
    )
    return text.encode(encoding)


def attributes(number: int, prefix: str = "") -> str:
    return " ".join(f'{prefix}a{n}="urn:{n}"' for n in range(number))


def checked(content: bytes, context: UnitContext) -> list[CheckedRow]:
    return [check(row, context) for row in read_rows(io.BytesIO(content), FileFormat.V3, national_id="1001")]


def one(record: str, context: UnitContext, operation: str = "XZBA") -> CheckedRow:
    (row,) = checked(upload(record, operation), context)
    return row


def found(row: CheckedRow) -> list[tuple[str, str, int]]:
    return [(error.code, error.field, national_code(error)) for error in row.errors]


def facts(row: CheckedRow) -> V3Facts:
    assert row.v3 is not None
    return row.v3
