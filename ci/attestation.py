"""The verification of an attestation by programs that share nothing with `covenant`. See `ci/attestation`."""

import base64
import copy
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"


def key_of(path):
    """The public key as securesystemslib has it, under the key id of the attestation: the SHA-256 of its DER."""
    public = load_pem_public_key(path.read_bytes())
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SSlibKey.from_crypto(public, keyid=hashlib.sha256(der).hexdigest())


def verifies(envelope, key):
    """Whether securesystemslib accepts the signature."""
    try:
        Envelope.from_dict(copy.deepcopy(envelope)).verify([key], 1)
        return True
    except VerificationError:
        return False


def verifies_by_openssl(envelope, key_file):
    """Whether openssl accepts the signature of the encoding that DSSE prescribes."""
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    with tempfile.TemporaryDirectory() as folder:
        message, signature = Path(folder, "message"), Path(folder, "signature")
        message.write_bytes(signed)
        signature.write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(key_file), "-rawin"]
        command += ["-in", str(message), "-sigfile", str(signature)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def changed(envelope):
    """The envelope, changed in each of the parts that a signature covers, and in the signature itself."""
    text = base64.b64decode(envelope["payload"])
    yield "result", envelope | {"payload": base64.b64encode(text.replace(b'"PASSED"', b'"WARNED"', 1)).decode()}
    yield "cut payload", envelope | {"payload": base64.b64encode(text[:-1]).decode()}
    yield "payload type", envelope | {"payloadType": "application/json"}
    signature = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
    signature[17] ^= 1
    entry = envelope["signatures"][0] | {"sig": base64.b64encode(signature).decode()}
    yield "signature", envelope | {"signatures": [entry]}


def main():
    run, key_file = Path(sys.argv[1]), Path(sys.argv[2])
    envelope = json.loads((run / "attestation.json").read_text())
    key = key_of(key_file)
    assert envelope["payloadType"] == PAYLOAD_TYPE
    assert envelope["signatures"][0]["keyid"] == key.keyid
    assert verifies(envelope, key), "securesystemslib refuses the signature"
    assert verifies_by_openssl(envelope, key_file), "openssl refuses the signature"
    for what, other in changed(envelope):
        assert other != envelope
        assert not verifies(other, key), f"securesystemslib accepts a changed {what}"
        assert not verifies_by_openssl(other, key_file), f"openssl accepts a changed {what}"

    payload = json.loads(base64.b64decode(envelope["payload"]))
    # The field `_type` has another name in the library.
    message = {("type" if name == "_type" else name): value for name, value in payload.items()}
    statement = Statement.copy_from_pb(json_format.ParseDict(message, statement_pb2.Statement()))
    statement.validate()
    assert payload["predicateType"] == PREDICATE_TYPE
    predicate = payload["predicate"]
    # What this program adds to the predicate is of names that no one else has; the rest is the predicate itself.
    own = {name: value for name, value in predicate.items() if not name.startswith("covenant_")}
    result = json_format.ParseDict(own, test_result_pb2.TestResult())
    assert result.result == "PASSED", result.result
    assert len(result.passed_tests) > 70 and not result.failed_tests
    assert list(result.warned_tests) == ["4.4 conduct"]
    for descriptor in payload["subject"] + predicate["configuration"]:
        assert "digest" in descriptor or "content" in descriptor, descriptor
    # The first subject is the certificate of the target. Those after the files are its further certificates.
    for subject in payload["subject"][1:3]:
        digest = hashlib.sha256((run / subject["name"]).read_bytes()).hexdigest()
        assert digest == subject["digest"]["sha256"], subject["name"]
    print(f"verified by securesystemslib and openssl; {len(result.passed_tests)} tests passed, {result.result}")


main()
