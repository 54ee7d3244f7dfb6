"""Take what is pushed to a department: Python 3.8+ alone. Settings: PUSH_KEYS (one key or two), PORT."""

import base64
import hashlib
import hmac
import json
import os
import sqlite3
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

KEYS = [base64.b64decode(key[len("whsec_") :]) for key in os.environ["PUSH_KEYS"].split()]
DB = sqlite3.connect("pushed.db")
DB.execute("CREATE TABLE IF NOT EXISTS message (id TEXT PRIMARY KEY, case_id TEXT, type TEXT, body TEXT)")


def is_ours(headers, body):
    """Whether somebody who has a key signed this, and just now: an old request is not taken again."""
    name, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "0")
    if not at.isdigit() or abs(time.time() - int(at)) > 300:
        return False
    signed = (name + "." + at + ".").encode() + body
    mine = ["v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in KEYS]
    theirs = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(one, other) for one in mine for other in theirs)


class Receiver(BaseHTTPRequestHandler):
    timeout = 10  # seconds: who says nothing for so long is hung up on, and holds up nobody

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not is_ours(self.headers, body):
            return self.answer(401)
        message = json.loads(body)
        if message["type"] != "department.ping.v1":  # a ping only asks whether we are there
            with DB:  # stored before it is answered; a repeat has the same id and changes nothing
                row = (message["id"], message["subject"], message["type"], body.decode("utf-8"))
                DB.execute("INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?)", row)
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Receiver).serve_forever()
