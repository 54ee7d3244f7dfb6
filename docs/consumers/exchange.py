"""A department's side of an exchange by disc: Python 3.8+ alone. Settings: DEPARTMENT; its state lies in this folder.

python exchange.py key                         make our key, print its public half (for the centre)
python exchange.py read DISC CENTRE            verify and store what the centre sent (CENTRE: its public key)
python exchange.py write DISC [FEEDBACK.jsonl] write our receipt, and feedback, one JSON a line
"""

import base64
import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import sys
from datetime import datetime, timezone
from pathlib import Path

# ---- Ed25519, as RFC 8032 has it: slow, and quick enough for a disc

P, Q = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def add(one, other):
    a, b = (one[1] - one[0]) * (other[1] - other[0]) % P, (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(count, point):
    found = (0, 1, 1, 0)
    while count:
        found = add(found, point) if count & 1 else found
        point, count = add(point, point), count >> 1
    return found


def x_of(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * ROOT % P
    if (x * x - square) % P or y >= P or (x == 0 and sign):
        raise ValueError("no point of the curve")
    return x if x & 1 == sign else P - x


def point_of(text):
    y, sign = int.from_bytes(text, "little") & (1 << 255) - 1, text[31] >> 7
    x = x_of(y, sign)
    return x, y, 1, x * y % P


def bytes_of(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (x_of(BASE_Y, 0), BASE_Y, 1, x_of(BASE_Y, 0) * BASE_Y % P)


def expanded(seed):
    digest = hashlib.sha512(seed).digest()
    return int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254, digest[32:]


def public(seed):
    return bytes_of(times(expanded(seed)[0], BASE))


def sign(seed, text):
    scalar, prefix = expanded(seed)
    once = number(prefix, text) % Q
    r = bytes_of(times(once, BASE))
    return r + ((once + number(r, public(seed), text) * scalar) % Q).to_bytes(32, "little")


def fits(key, signature, text):
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= Q:
        return False
    right = add(point_of(signature[:32]), times(number(signature[:32], key, text), point_of(key)))
    return bytes_of(times(s, BASE)) == bytes_of(right)


# ---- bundles

CODE = os.environ.get("DEPARTMENT", "")
BEFORE = b"intake.exchange.v1\n"
TABLES = """
CREATE TABLE IF NOT EXISTS bundle (way TEXT, number INTEGER, sha256 TEXT, PRIMARY KEY (way, number));
CREATE TABLE IF NOT EXISTS message (id TEXT PRIMARY KEY, type TEXT, case_id TEXT, sequence INTEGER, body TEXT);
"""


def digest(content):
    return hashlib.sha256(content).hexdigest()


def last(db, way):
    return db.execute("SELECT number, sha256 FROM bundle WHERE way = ? ORDER BY number DESC", (way,)).fetchone()


def verified(folder, key):
    """Believe nothing before the signature fits, and no line that is not what was signed."""
    written = (folder / "manifest.json").read_bytes()
    signature = base64.b64decode((folder / "manifest.sig").read_bytes())
    if not fits(key, signature, BEFORE + written):
        raise SystemExit(folder.name + "：签名不对，不要使用这张盘，联系热线中心 · the signature does not fit")
    manifest, content = json.loads(written), (folder / "messages.jsonl").read_bytes()
    lines = content.split(b"\n")[:-1]
    if digest(content) != manifest["sha256"] or [digest(line) for line in lines] != [
        item["sha256"] for item in manifest["items"]
    ]:
        raise SystemExit(folder.name + "：内容与清单不符，盘坏了，请重刻 · the disc is damaged")
    if (manifest["department"], manifest["way"]) != (CODE, "out"):
        raise SystemExit(folder.name + "：不是给本单位的 · is for another department")
    return manifest, written, lines


def read(db, disc, centre):
    for folder in sorted(disc.glob(CODE + "-out-*")):
        manifest, written, lines = verified(folder, base64.b64decode(centre))
        newest = last(db, "out") or (0, None)
        if manifest["number"] <= newest[0]:
            print(folder.name, "已读过 · read before")
            continue
        if (manifest["number"], manifest["previous"]) != (newest[0] + 1, newest[1]):
            raise SystemExit("%s：缺第 %d 号盘，请中心重新导出 · a disc is missing" % (folder.name, newest[0] + 1))
        with db:  # all of a bundle, or nothing
            db.execute("INSERT INTO bundle VALUES ('out', ?, ?)", (manifest["number"], digest(written)))
            if manifest["taken"]:  # so far the centre has read ours
                db.execute("INSERT OR IGNORE INTO bundle VALUES ('taken', :number, :sha256)", manifest["taken"])
            for line in lines:
                message = json.loads(line)
                data = message.get("data", {})
                row = (message["id"], message["type"], data.get("case"), data.get("sequence"), line.decode("utf-8"))
                db.execute("INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?, ?)", row)
                print(message["type"], data.get("case_no"), data.get("title"))


def write(db, disc, feedback):
    """Keep our bundles in `sent` until the centre's receipt: a disc may be lost."""
    received, mine = last(db, "out"), last(db, "in") or (0, None)
    feedback = feedback[3:] if feedback.startswith(b"\xef\xbb\xbf") else feedback  # as some editors begin a file
    lines = [line for line in feedback.split(b"\n") if line.strip()]
    content = b"".join(line + b"\n" for line in lines)
    manifest = {
        "format": "intake.exchange.v1",
        "way": "in",
        "department": CODE,
        "number": mine[0] + 1,
        "previous": mine[1],
        "made_at": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "count": len(lines),
        "size": len(content),
        "sha256": digest(content),
        "items": [{"id": json.loads(line)["id"], "sha256": digest(line)} for line in lines],
        "taken": received and {"number": received[0], "sha256": received[1]},
    }
    written = json.dumps(manifest, indent=1, ensure_ascii=False).encode("utf-8")
    folder = Path("sent", "%s-in-%06d" % (CODE, manifest["number"]))
    shutil.rmtree(folder, ignore_errors=True)  # half of one, by a run that was cut off
    folder.mkdir(parents=True)
    (folder / "feedback.jsonl").write_bytes(content)
    (folder / "manifest.json").write_bytes(written)
    seed = bytes.fromhex(Path("exchange.key").read_text())
    (folder / "manifest.sig").write_bytes(base64.b64encode(sign(seed, BEFORE + written)))
    with db:
        db.execute("INSERT INTO bundle VALUES ('in', ?, ?)", (manifest["number"], digest(written)))
    for each in sorted(Path("sent").glob("*-in-*")):
        if int(each.name[-6:]) > (last(db, "taken") or (0,))[0]:
            print(shutil.copytree(str(each), str(disc / each.name), dirs_exist_ok=True))


def main(what="", disc="", more=""):
    sys.stdout.reconfigure(errors="replace")  # a screen that knows GBK alone must not keep a disc out
    db = sqlite3.connect("exchange.db")
    db.executescript(TABLES)
    if what == "key":
        with open(os.open("exchange.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        print(base64.b64encode(public(bytes.fromhex(Path("exchange.key").read_text()))).decode())
    elif what == "read":
        read(db, Path(disc), more)
    elif what == "write":
        write(db, Path(disc), Path(more).read_bytes() if more else b"")
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
