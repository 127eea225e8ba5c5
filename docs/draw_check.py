"""Repeat the draw of an inspection (抽查) from its published frame: python3 draw_check.py FRAME.txt SEED SIZE"""

import sys
from hashlib import sha256
from pathlib import Path

seed, size = sys.argv[2], int(sys.argv[3])
rows = [line.partition("\t")[::2] for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
strata = {key: [no for no, of in rows if of == key] for key in sorted({of for _, of in rows})}
size = min(size, len(rows))
rest = sorted(strata, key=lambda key: -(size * len(strata[key]) % len(rows)))
take = {key: size * len(strata[key]) // len(rows) for key in strata}
for key in rest[: size - sum(take.values())]:
    take[key] += 1
for key in [key for key in strata if not take[key]]:
    take[max(reversed(list(strata)), key=take.get)] -= 1
    take[key] = 1
rank = lambda no: (sha256(f"{seed}:{no}".encode()).hexdigest(), no)  # noqa: E731
drawn = sorted((no for key in strata for no in sorted(strata[key], key=rank)[: take[key]]), key=rank)
digests = (
    sha256(seed.encode()).hexdigest(),
    sha256("\n".join(sorted(no for no, _ in rows)).encode()).hexdigest(),
)
sys.stdout.write("\n".join([*digests, *drawn]) + "\n")
