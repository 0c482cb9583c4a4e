"""Files that come with a message: held against its headers, their digests and their signatures."""

from __future__ import annotations

from base64 import b64encode

import pytest

from adapters.smev import files
from adapters.smev.messages import types as t
from adapters.smev.options import Options
from adapters.smev.proof import Proof
from adapters.smev.storage import Storage
from gateway.errors import TrustError, ValidationError
from simulators.smev.ftp import Server
from simulators.smev.storage import Storage as Kept
from tests.gost_kit import NOW, needs_gost, opened, pki

pytestmark = needs_gost
DATA = "Заявление гражданина".encode()
FORGED = "Заявление другого".encode()


@pytest.fixture(scope="module")
def proof():
    return Proof(opened())


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    """The file storage of the stand, with one file in it, and what fetches from it."""
    kept = Kept(tmp_path_factory.mktemp("storage"), ("anonymous", "smev"))
    kept.put("u1", DATA)
    with Server(kept) as server:
        server.start()
        found = Storage(Options.of({"storage": f"127.0.0.1:{server.port}"}), 20.0)
        found.kept = kept
        yield found
        server.shutdown()


def signed(proof, data=DATA, name="ours"):
    key = proof.signing.keys.current(name, NOW)
    return proof.signing.backend.cms_sign(key, data, NOW)


def inside(proof, data, signature):
    """A message with one file in it."""
    header = t.AttachmentHeader(content_id="a", mime_type="text/plain", signature=signature)
    content = t.AttachmentContent(id="a", content=data)
    message = t.RequestData(message_id="m", headers=(header,), contents=(content,))
    return files.incoming(message, (), {}, None, proof, NOW)


def stored(proof, storage, told, signature=b""):
    """A message with one file in the storage, and the digest that it tells."""
    one = storage.kept.let("u1", "file-1", "m")
    given = t.FSAttachment(uuid="u1", user_name=one.user, password=one.password, file_name="file-1")
    digest = b64encode(proof.signing.backend.digest("streebog256", told)).decode()
    header = t.RefAttachmentHeader(
        uuid="u1", hash=digest, mime_type="text/plain", signature=signature
    )
    message = t.RequestData(message_id="m", ref_headers=(header,))
    return files.incoming(message, (given,), {}, storage, proof, NOW)


def reason(of, *given):
    with pytest.raises(TrustError) as refused:
        of(*given)
    return refused.value.reason


def test_a_file_that_an_official_signed_is_taken_with_his_signature(proof, storage):
    made = signed(proof)
    (found,) = inside(proof, DATA, made)
    assert (found.data, found.signature) == (DATA, made)
    (found,) = stored(proof, storage, DATA, made)
    assert (found.data, found.signature) == (DATA, made)


def test_another_file_under_a_signature_is_refused(proof, storage):
    assert reason(inside, proof, FORGED, signed(proof)) == "signature_wrong"
    assert reason(stored, proof, storage, DATA, signed(proof, FORGED)) == "signature_wrong"


def test_a_file_of_the_storage_that_is_not_the_one_that_was_signed_is_refused(proof, storage):
    assert reason(stored, proof, storage, FORGED) == "digest_mismatch"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("stranger", "certificate_unknown"),
        ("expired", "certificate_expired"),
        ("revoked", "certificate_revoked"),
    ],
)
def test_a_file_that_somebody_signed_who_is_not_believed_is_refused(proof, name, expected):
    holder = getattr(pki(), name)
    made = pki().openssl(
        "cms", "-sign", "-binary", "-signer", holder.cert, "-inkey", holder.key,
        "-md", "md_gost12_256", "-outform", "DER", given=DATA,
    )  # fmt: skip
    assert reason(inside, proof, DATA, made) == expected


def test_bytes_that_are_no_signature_are_refused(proof):
    assert reason(inside, proof, DATA, b"\x30\x00") == "signature_wrong"


def test_headers_and_files_that_do_not_agree_are_refused(proof):
    header = t.AttachmentHeader(content_id="a", mime_type="text/plain")
    other = t.AttachmentContent(id="b", content=DATA)
    twice = (t.AttachmentContent(id="a", content=DATA), t.AttachmentContent(id="a", content=FORGED))
    for contents in ((other,), twice, ()):
        message = t.RequestData(message_id="m", headers=(header,), contents=contents)
        with pytest.raises(ValidationError):
            files.incoming(message, (), {}, None, proof, NOW)
