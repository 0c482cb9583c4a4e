"""A stand-in for a signer outside: `signer.py CONF KEY CERT [--reversed]`, by `openssl`.

Takes and gives what docs/howto/signing.md says, and knows nothing of the gateway.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile


def answer(request: dict, conf: str, key: str, cert: str, *, turned: bool = False) -> dict:
    """Sign what is asked for."""
    if request["version"] != 1 or request["key"] != "hsm":
        return {"error": f"no such key: {request['key']}"}
    data = base64.b64decode(request["data"])
    if request["op"] == "sign":
        command = ["dgst", "-md_gost12_256", "-sign", key, "-binary"]
    else:
        command = ["cms", "-sign", "-binary", "-outform", "DER", "-nosmimecap"]
        command += ["-md", "md_gost12_256", "-signer", cert, "-inkey", key]
        command += ["-cades"] if request["cades"] else []
    with tempfile.TemporaryFile() as given:
        given.write(data)
        given.seek(0)
        made = subprocess.run(
            ["openssl", *command],
            stdin=given,
            capture_output=True,
            check=True,
            env={**os.environ, "OPENSSL_CONF": conf},
        ).stdout
    told = {"signature": base64.b64encode(made[::-1] if turned else made).decode()}
    return {**told, "reversed": True} if turned else told


if __name__ == "__main__":
    asked = json.loads(sys.stdin.buffer.read())
    json.dump(answer(asked, *sys.argv[1:4], turned="--reversed" in sys.argv), sys.stdout)
