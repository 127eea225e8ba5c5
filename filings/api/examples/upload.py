"""上报文件，等待处理完毕，保存被拒行 / Hand in a file, wait, keep the refused rows. Python 3.9+

PILOT_URL: 平台网址 / address of the portal    PILOT_KEY: 密钥 / key    argv[1]: forms.csv
"""

import hashlib
import json
import os
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

PORTAL = os.environ["PILOT_URL"]
PAUSE = float(os.environ.get("PILOT_PAUSE", "2"))


def call(path, data=None, headers=None):
    """一次调用 / one call"""
    key = {"Authorization": "Bearer " + os.environ["PILOT_KEY"]}
    request = urllib.request.Request(PORTAL + path, data=data, headers={**key, **(headers or {})})
    with urllib.request.urlopen(request, timeout=120) as response:
        return response.read()


file = Path(sys.argv[1])
content = file.read_bytes()
headers = {
    "Content-Type": "application/octet-stream",
    "Idempotency-Key": "file-" + hashlib.sha256(content).hexdigest(),
}
job = json.loads(call("/api/v1/uploads/?name=" + urllib.parse.quote(file.name), content, headers))
while not job["done"]:
    time.sleep(PAUSE)
    job = json.loads(call(job["url"]))

print(job["state"], "rows", job["rows"], "accepted", job["accepted"], "rejected", job["rejected_rows"])
if job["rejects"]:
    rejects = file.with_name(file.stem + ".rejects" + file.suffix)
    rejects.write_bytes(call(job["rejects"]))
    print(rejects)
