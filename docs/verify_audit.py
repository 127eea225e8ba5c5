"""Verify an export of the audit log without the portal. Any Python from 3.9 on, standard library only.

    python3 verify_audit.py LOG.ndjson[.gz] [--heads FILE]... [--key HEX]
    python3 verify_audit.py --proof PROOF.json [--key HEX]

LOG is what the portal exports; each FILE holds heads that were kept elsewhere (JSON or text, docs/audit.md). Exit 0:
everything fits; 1: something was changed, removed, put in or moved, and the first such place is named; 2: wrong usage.
"""

import argparse
import gzip
import json
import sys
from hashlib import sha256, sha512
from pathlib import Path

GENESIS = "0" * 64
NAMES = ("size", "root", "digest", "at", "key", "signature")


# --- Ed25519 (RFC 8032, section 6), verification only ------------------------------------------------
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(a, b):
    """The sum of two points in extended coordinates."""
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, g, h, f = f - e, h - g, h + g, e + f
    return e * g % P, h * f % P, g * h % P, e * f % P


def times(number, point):
    """A multiple of a point."""
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = add(result, point)
        point, number = add(point, point), number >> 1
    return result


def point_of(encoded):
    """The point that 32 bytes stand for. Raises ValueError for none."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        raise ValueError("no point of the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def is_signed(key, message, signature):
    """Whether this is the key's Ed25519 signature over the message."""
    if len(key) != 32 or len(signature) != 64:
        return False
    try:
        public, commitment = point_of(key), point_of(signature[:32])
    except ValueError:
        return False
    s = int.from_bytes(signature[32:], "little")
    h = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % ORDER
    left, right = times(s, BASE), add(commitment, times(h, public))
    same = (left[0] * right[2] - right[0] * left[2]) % P == 0 == (left[1] * right[2] - right[1] * left[2]) % P
    return s < ORDER and same


# --- the tree (RFC 6962, section 2.1) ----------------------------------------------------------------
def leaf(digest):
    """The leaf for the digest of a link of the chain."""
    return sha256(b"\0" + bytes.fromhex(digest)).digest()


def node(left, right):
    """The hash over two subtrees."""
    return sha256(b"\1" + left + right).digest()


class Tree:
    """The roots of the full subtrees, largest first."""

    def __init__(self):
        self.size, self.peaks = 0, []

    def append(self, each):
        """Add the next leaf."""
        self.size += 1
        full = self.size
        while not full & 1:
            each, full = node(self.peaks.pop(), each), full >> 1
        self.peaks.append(each)

    def root(self):
        """The root as the tree stands."""
        result = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            result = node(peak, result)
        return result.hex()


def climb(start, index, size, path):
    """The root to which a path of neighbours leads from a leaf (RFC 9162, 2.1.3.2); empty when it does not end."""
    place, last, result = index, size - 1, start
    for step in path:
        if last == 0:
            return ""
        if place & 1 or place == last:
            result = node(step, result)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            result = node(result, step)
        place, last = place >> 1, last >> 1
    return "" if last else result.hex()


# --- heads, proofs, the log --------------------------------------------------------------------------
def handovers_of(text):
    """Which key said which key follows it, as far as a file of heads tells."""
    return json.loads(text).get("handovers", []) if text.lstrip().startswith("{") else []


def heads_of(text):
    """The heads of a file: JSON with ``heads``, or one head a line (its root, key and signature may be missing)."""
    if text.lstrip().startswith("{"):
        return json.loads(text)["heads"]
    rows = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    wrong = [row for row in rows if len(row) not in (2, len(NAMES))]
    if wrong:
        raise ValueError("no head: %s" % " ".join(wrong[0]))
    short = [{"size": int(row[0]), "digest": row[1]} for row in rows if len(row) == 2]
    return short + [dict(zip(NAMES, [int(row[0]), *row[1:]])) for row in rows if len(row) == len(NAMES)]


def trusted(key, handovers):
    """The key, and those that follow it: each was named by one before it, under that one's signature."""
    keys = [key]
    for row in handovers:
        words = "audit-key-v1\n%(old)s\n%(new)s\n" % row
        if row["old"] in keys and is_signed(
            bytes.fromhex(row["old"]), words.encode("ascii"), bytes.fromhex(row["signature"])
        ):
            keys.append(row["new"])
    return keys


def wrong_signature(head, keys):
    """What is wrong with a head's signature, in words; empty: nothing, or none was kept. No keys: any will do."""
    if "signature" not in head:
        return ""
    if keys and head["key"] not in keys:
        return "the head over %d entries is signed by another key" % head["size"]
    words = "audit-head-v1\n%(size)d\n%(root)s\n%(digest)s\n%(at)s\n" % head
    if is_signed(bytes.fromhex(head["key"]), words.encode("ascii"), bytes.fromhex(head["signature"])):
        return ""
    return "the signature of the head over %d entries is wrong" % head["size"]


def link(previous, entry):
    """The digest that binds an entry to everything before it."""
    content = json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(previous.encode("ascii") + b"\n" + content.encode()).hexdigest()


def verify_log(lines, heads):
    """Recompute chain and tree over the lines of a log and compare them with the heads.

    Returns what is wrong first, in words (empty: nothing), how many entries were read and how many heads fit.
    """
    start = json.loads(next(lines))
    seq, digest, tree, met = start["first"] - 1, start["previous"], Tree(), 0
    whole = seq == 0
    if whole and digest != GENESIS:
        return "the log does not begin at its beginning", 0, 0
    waiting = {}
    for head in heads:
        if head["size"] > seq:
            waiting.setdefault(head["size"], []).append(head)
    for line in lines:
        row = json.loads(line)
        if row["seq"] != seq + 1:
            return "entry %d is missing or stands elsewhere" % (seq + 1), seq, met
        digest = link(digest, row["entry"])
        if digest != row["digest"]:
            return "entry %d was changed, or another stood before it" % row["seq"], seq, met
        seq += 1
        tree.append(leaf(digest))
        for head in waiting.pop(seq, ()):
            if head["digest"] != digest or (whole and head.get("root", tree.root()) != tree.root()):
                return "the head over %d entries does not fit: one of them is not what it was" % seq, seq, met
            met += 1
    if seq - start["first"] + 1 != start["rows"]:
        return "the log ends early", seq, met
    if waiting and whole:
        return "the log ends before the head over %d entries" % min(waiting), seq, met
    return "", seq, met


def verify_proof(proof):
    """What is wrong with a proof that an entry lies under a head, in words; empty: nothing."""
    if "entry" in proof and link(proof["previous"], proof["entry"]) != proof["digest"]:
        return "the entry is not the one that was recorded"
    head, path = proof["head"], [bytes.fromhex(step) for step in proof["path"]]
    root = climb(leaf(proof["digest"]), proof["seq"] - 1, head["size"], path)
    return "" if root == head["root"] else "the path does not lead to the root of the head"


def opened(path):
    """The lines of a log, packed or not."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rt", encoding="utf-8") if packed else path.open(encoding="utf-8")


def main(arguments=None):
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("log", nargs="?", type=Path)
    parser.add_argument("--heads", action="append", type=Path, default=[])
    parser.add_argument("--proof", type=Path)
    parser.add_argument("--key", default="", help="the portal's public key (hex), got by another way")
    given = parser.parse_args(arguments)
    if bool(given.log) == bool(given.proof):
        parser.error("name a log or a proof")
    try:
        texts = [file.read_text(encoding="utf-8") for file in given.heads]
        heads = [head for text in texts for head in heads_of(text)]
        keys = trusted(given.key, [row for text in texts for row in handovers_of(text)]) if given.key else []
        proof = json.loads(given.proof.read_text(encoding="utf-8")) if given.proof else {}
        signed = [*heads, *([proof["head"]] if proof else [])]
        fault = next(filter(None, (wrong_signature(head, keys) for head in signed)), "")
        if fault or proof:
            fault, read, met = fault or verify_proof(proof), 0, len(signed)
        else:
            with opened(given.log) as lines:
                fault, read, met = verify_log(lines, heads)
    except (OSError, ValueError, KeyError, TypeError, StopIteration, EOFError) as error:
        fault, read, met = "cannot be read: %r" % error, 0, 0
    if fault:
        sys.stdout.write("WRONG: %s\n" % fault)
        return 1
    sys.stdout.write("OK: the proof holds\n" if proof else "OK: %d entries, %d heads\n" % (read, met))
    return 0


if __name__ == "__main__":
    sys.exit(main())
