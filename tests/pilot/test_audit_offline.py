"""The log as a file and the script that verifies it far from the portal; its tree (RFC 6962) and keys (RFC 8032)."""

from __future__ import annotations

import gzip
import importlib.util
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pilot import merkle
from pilot.actors import Actor
from pilot.models import AuditEntry, AuditHead
from pilot.services import audit, audit_exports, audit_heads
from pilot.services.audit_exports import Extent

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "verify_audit.py"
WHO = Actor.system("tests")


def load() -> Any:
    spec = importlib.util.spec_from_file_location("offline_verify_audit", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


offline = load()

# RFC 8032, 7.1, tests 1 to 3: public key, message, signature.
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_signatures_of_rfc_8032(key: str, message: str, signature: str) -> None:
    public, words, signed = bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature)
    assert offline.is_signed(public, words, signed) is True
    assert offline.is_signed(public, words + b"x", signed) is False
    assert offline.is_signed(public, words, signed[:-1] + bytes([signed[-1] ^ 1])) is False
    assert offline.is_signed(public, words, signed[:32] + (int.from_bytes(signed[32:], "little") + offline.ORDER)
                             .to_bytes(32, "little")) is False  # fmt: skip
    assert offline.is_signed(public[:-1], words, signed) is False


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, as it stands there."""
    if len(leaves) < 2:
        return sha256(b"\x00" + leaves[0]).digest() if leaves else sha256(b"").digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def test_the_tree_is_that_of_rfc_6962_and_every_path_leads_to_its_root() -> None:
    contents = [bytes([n]) for n in range(33)]
    leaves = [merkle.leaf(content) for content in contents]
    for size in range(34):
        assert merkle.root(leaves[:size]) == mth(contents[:size])
    for size in range(1, 34):
        root = merkle.root(leaves[:size])
        for index in range(size):
            steps = merkle.path(leaves[:size], index)
            assert merkle.climb(leaves[index], index, size, steps) == root
            assert offline.climb(leaves[index], index, size, steps) == root.hex()
    with pytest.raises(IndexError):
        merkle.path(leaves, 33)
    with pytest.raises(ValueError, match="too long"):
        merkle.climb(leaves[0], 0, 1, leaves[:1])
    with pytest.raises(ValueError, match="too short"):
        merkle.climb(leaves[0], 0, 3, leaves[:1])
    assert (offline.climb(leaves[0], 0, 1, leaves[:1]), offline.climb(leaves[0], 0, 3, leaves[:1])) == (
        "",
        "",
    )


@pytest.fixture
def log(db: None, monkeypatch: pytest.MonkeyPatch) -> tuple[list[dict[str, Any]], list[AuditHead]]:
    """Lines of a log of 40 entries in blocks of 8, with heads over 13, 32 and all of them."""
    monkeypatch.setattr(audit, "BLOCK", 8)
    monkeypatch.setattr(audit_heads, "BLOCK", 8)
    heads = []
    for until in (13, 32, 40):
        for n in range(AuditEntry.objects.count(), until):
            audit.record(action=f"试.{n}", actor=WHO, detail={"n": n, "甲": "\u2028"})
        audit.seal()
        heads.append(audit_heads.sign())
    found = [head for head in heads if head]
    return [json.loads(line) for line in audit_exports.lines(audit_exports.extent())], found


def verified(rows: list[dict[str, Any]], heads: list[AuditHead]) -> str:
    text = "\n".join(audit_heads.line(head) for head in heads)
    fault, _read, _met = offline.verify_log(iter(json.dumps(row) for row in rows), offline.heads_of(text))
    return str(fault)


def chained_anew(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What somebody makes who owns the database: every digest after a change is right again."""
    digest, made = audit.GENESIS, [{**rows[0], "rows": len(rows) - 1}]
    for seq, row in enumerate(rows[1:], start=1):
        content = json.dumps(row["entry"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        digest = sha256(digest.encode() + b"\n" + content.encode()).hexdigest()
        made.append({"seq": seq, "digest": digest, "entry": row["entry"]})
    return made


def test_heads_and_proofs_are_those_of_the_plain_tree(
    log: tuple[list[dict[str, Any]], list[AuditHead]],
) -> None:
    rows, heads = log
    contents = [bytes.fromhex(row["digest"]) for row in rows[1:]]
    assert [(head.size, head.root) for head in heads] == [(n, mth(contents[:n]).hex()) for n in (13, 32, 40)]
    for entry, size in zip(AuditEntry.objects.order_by("pk"), [13] * 13 + [32] * 19 + [40] * 8, strict=True):
        proof = audit_heads.proof(entry)
        assert proof is not None
        assert proof["head"]["size"] == size
        assert offline.verify_proof(proof) == ""
        assert offline.wrong_signature(proof["head"], [audit_heads.public_key()]) == ""
        assert offline.verify_proof({**proof, "seq": proof["seq"] % size + 1}) != ""


def test_one_change_anywhere_is_found_even_in_a_chain_made_anew(
    log: tuple[list[dict[str, Any]], list[AuditHead]],
) -> None:
    rows, heads = log
    assert verified(rows, heads) == ""
    forged = {**rows[20], "entry": {**rows[20]["entry"], "actor": "谁"}}
    changed = [*rows[:20], forged, *rows[21:]]
    removed = [*rows[:20], *rows[21:]]
    put_in = [*rows[:20], {**forged, "seq": 20}, *rows[20:]]
    moved = [*rows[:20], rows[21], rows[20], *rows[22:]]
    assert verified(changed, heads) == "entry 20 was changed, or another stood before it"
    assert verified(removed, heads) == "entry 20 is missing or stands elsewhere"
    assert verified(put_in, heads) == "entry 20 was changed, or another stood before it"
    assert verified(moved, heads) == "entry 20 is missing or stands elsewhere"
    touched = "the head over 32 entries does not fit: one of them is not what it was"
    for tampered in (changed, removed, put_in, moved):
        assert verified(chained_anew(tampered), []) == ""
        assert verified(chained_anew(tampered), heads) == touched
    assert verified(rows[:-1], heads) == "the log ends early"
    assert (
        verified([{**rows[0], "rows": 39}, *rows[1:-1]], heads)
        == "the log ends before the head over 40 entries"
    )
    assert verified([{**rows[0], "previous": "1" * 64}, *rows[1:]], heads) == (
        "the log does not begin at its beginning"
    )


def test_a_part_of_the_log_is_held_against_the_heads_that_lie_in_it(
    log: tuple[list[dict[str, Any]], list[AuditHead]],
) -> None:
    _rows, heads = log
    rows = [json.loads(line) for line in audit_exports.lines(Extent(20, 35))]
    assert [rows[0]["first"], rows[0]["rows"], len(rows)] == [20, 16, 17]
    assert verified(rows, heads) == ""
    with_another = [AuditHead(size=32, root="", digest="1" * 64, key="", signature=""), heads[0]]
    for head in with_another:
        head.at = heads[0].at
    kept = [audit_heads.plain(head) for head in with_another]
    assert offline.verify_log(iter(json.dumps(row) for row in rows), kept)[0] == (
        "the head over 32 entries does not fit: one of them is not what it was"
    )


def test_the_script_on_the_command_line(
    log: tuple[list[dict[str, Any]], list[AuditHead]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _rows, heads = log
    packed, plain, text, proof = (
        tmp_path / name for name in ("log.gz", "log.ndjson", "heads.txt", "proof.json")
    )
    lines = list(audit_exports.lines(audit_exports.extent()))
    plain.write_bytes(b"".join(lines))
    packed.write_bytes(b"".join(audit_exports.gzipped(iter(lines))))
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    text.write_text("".join(f"{audit_heads.line(head)}\n" for head in heads))
    short, as_json = tmp_path / "short.txt", tmp_path / "heads.json"
    short.write_text(f"# kept by hand\n13 {heads[0].digest}\n")
    as_json.write_text(json.dumps({"heads": [audit_heads.plain(head) for head in heads]}))
    proof.write_text(json.dumps(audit_heads.proof(AuditEntry.objects.order_by("pk")[5])))

    def run(*words: Any) -> tuple[int, str]:
        status = offline.main([str(word) for word in words])
        return status, capsys.readouterr().out.strip()

    assert run(packed, "--heads", text, "--heads", short) == (0, "OK: 40 entries, 4 heads")
    assert run(plain, "--heads", as_json, "--key", heads[0].key) == (0, "OK: 40 entries, 3 heads")
    assert run("--proof", proof, "--key", heads[0].key) == (0, "OK: the proof holds")
    other_key = (1, "WRONG: the head over 13 entries is signed by another key")
    assert (
        run("--proof", proof, "--key", "ab" * 32)
        == run(plain, "--heads", text, "--key", "ab" * 32)
        == other_key
    )
    text.write_text(audit_heads.line(heads[0]).replace(heads[0].root, "0" * 64))
    assert run(plain, "--heads", text) == (1, "WRONG: the signature of the head over 13 entries is wrong")
    text.write_text(f"13 {heads[0].root} {heads[0].digest}\n")
    assert run(plain, "--heads", text)[1].startswith("WRONG: cannot be read: ValueError('no head: 13 ")
    assert run(tmp_path / "nothing")[0] == 1
    with pytest.raises(SystemExit) as usage:
        run()
    assert usage.value.code == 2
