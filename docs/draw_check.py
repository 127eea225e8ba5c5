"""Repeat the draw of an inspection (抽查) from its published frame: python3 draw_check.py FRAME.txt SEED SIZE"""

import sys
from hashlib import sha256
from pathlib import Path

rows = [line.partition("\t")[::2] for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
seed, size = sys.argv[2], min(int(sys.argv[3]), len(rows))
strata = {key: [no for no, of in rows if of == key] for key in sorted({of for _, of in rows})}
rest = sorted(strata, key=lambda key: -(size * len(strata[key]) % len(rows)))
take = {key: size * len(strata[key]) // len(rows) for key in strata}
for key in rest[: size - sum(take.values())]:
    take[key] += 1
for key in [key for key in strata if not take[key]]:
    take[max(reversed(list(strata)), key=take.get)] -= 1
    take[key] = 1
digest = lambda text: sha256(text.encode()).hexdigest()  # noqa: E731
rank = lambda no: (digest(f"{seed}:{no}"), no)  # noqa: E731
drawn = sorted((no for key in strata for no in sorted(strata[key], key=rank)[: take[key]]), key=rank)
sys.stdout.write("\n".join([digest(seed), digest("\n".join(sorted(no for no, _ in rows))), *drawn]) + "\n")
