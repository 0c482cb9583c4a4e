"""Every size, depth, count and time limit, in one place.

Sizes are bytes, times are seconds. A limit that an operator may change is a setting whose default
is taken from here; the rest protect the process and are fixed.
"""

from typing import Final

KB: Final = 1024
MB: Final = 1024 * KB

SOAP_ROOT_BYTES: Final = 12 * MB
"""The SOAP envelope (root part). A text node over 10 MB is refused by libxml2 in any case."""
SOAP_ROOT_NODES: Final = 50_000
"""Elements and attributes, counted before parsing: 10 MB of `<b/>` would take 326 MB of memory."""
HEADER_BLOCKS: Final = 100
"""Of one SOAP header; 20,000 mandatory ones of 307 bytes packed made an answer of 17 MB."""
FAULT_CHARS: Final = 2_000
"""Of one text in a fault: what was found, what was expected, where. Cut there."""
XML_DEPTH: Final = 100
XML_ATTRIBUTES: Final = 200
"""Of one element; 40,000 of them are 40,000 errors in one place, which took 10 s to tell."""
XML_DECLARATIONS: Final = 10_000
"""Declarations of prefixes in one document; WCF writes one on every element that it leaves nil."""
XML_PREFIXES: Final = 300
"""Different prefixes of them: a canonical form takes time quadratic in those in scope."""
XML_OPAQUE: Final = 10_000
"""Comments, CDATA sections and processing instructions, where there are very many tags besides."""
XML_PREFIX_BYTES: Final = 1_000
XML_NAMESPACE_BYTES: Final = 2_000
"""A name of a namespace; each look at an element's name copies it (9 MB, 200 headers: 2.1 s)."""
REST_BODY_BYTES: Final = 12 * MB
JSON_DEPTH: Final = 64
JSON_VALUES: Final = SOAP_ROOT_NODES
"""Values of one JSON document, counted before it is read: 15 MB of `[],` took 456 MB of memory."""
HEADER_BYTES: Final = 64 * KB
HEADER_COUNT: Final = 100
ATTACHMENT_INLINE_BYTES: Final = 5 * MB
"""Decoded size of one attachment carried as base64 (model.md §2, AttachFile)."""
ATTACHMENTS_PER_APPEAL: Final = 50
ATTACHMENT_ANSWER_BYTES: Final = 32 * MB
"""A file that goes out as base64 in one piece; a larger one goes as a part of a package (MTOM)."""
FORWARDED_FILE_BYTES: Final = 64 * MB
"""A file that a delivery carries: encoders hold it in memory, with what they make of it."""

PACKAGE_BYTES: Final = 1024 * MB
"""A package of several parts (MTOM, SwA), whole. Its parts are never in memory."""
PACKAGE_PARTS: Final = 200
PACKAGE_PREAMBLE_BYTES: Final = 4 * KB
"""Before the first boundary, and blank lines behind the last one."""
PART_HEADER_BYTES: Final = 8 * KB
PART_HEADERS: Final = 32
SIGNED_PARTS_BYTES: Final = 5 * MB
"""Parts of a signed message: the signature is over their base64, which stands in memory."""
PACKAGES_OF_PEER: Final = 8
PACKAGES_AT_ONCE: Final = 32
"""Packages that one process takes in at a time, of one peer and in all."""
PARTS_OF_DAY_BYTES: Final = 200 * 1024 * MB
"""Files in packages that one peer may have stored in a day: a thousand letters an hour with 8 MB
of scans each; 0 lets it bring any."""
REFUSED_OF_DAY_BYTES: Final = 4096 * MB
"""Refused messages of one peer that are kept whole in a day: 20,000 of 200 KB. Of what comes past
it KEPT_BYTES stand for the message, which cannot be replayed then."""
KEPT_BYTES: Final = 4 * KB
FREE_BYTES: Final = 256 * MB
"""What must be left free in the directory of blobs when a large body, or the parts of a package,
are there."""

SECURITY_BLOCKS: Final = 8
"""Elements of one wsse:Security header."""
SECURITY_REFERENCES: Final = 16
"""Parts that one signature covers; each is hashed once."""
SECURITY_INFO_NODES: Final = 200
"""Elements under one ds:SignedInfo; 16 references of the longest form have some 130."""
SECURITY_INFO_CHARS: Final = 64 * KB
"""Its text and its attributes."""
SECURITY_IDS: Final = 200
"""Elements of one envelope that carry an id a signature could name."""
SECURITY_PREFIXES: Final = 50
"""Prefixes of one InclusiveNamespaces list."""
SECURITY_PREFIXES_CHARS: Final = 2 * KB
"""All of them; a thread that made them canonical keeps the names for as long as it lives."""
SECURITY_STEPS: Final = 40_000_000
"""What the canonical forms of the signed parts may take, in steps of 3 ns (`security.cost`): 190 ms
in all. 160 KB of elements without an end took 5.1 s before; 20,000 elements at ten levels, with 25
declarations and 10 prefixes in the list, have 19 million steps, an ordinary message under 0.2."""
SECURITY_INFO_STEPS: Final = 2_000_000
"""The same of ds:SignedInfo, which is made canonical before it is known who signed: 10 ms."""
SIGNED_PARTS_SECONDS: Final = 120.0
"""In which the parts of a signed message have to be there; it is not proven yet who sent them."""
PROOFS_OF_SENDER: Final = 32
"""Messages of one sender that are checked or wait for it; each takes 190 ms at most."""
SIGNATURES_SPENT: Final = 100_000
"""Signatures that one process remembers without asking the database: 10 MB of memory."""
SECURITY_CHARS: Final = 100
"""A user name, a nonce, an instant, an id."""
SECURITY_PASSWORD_CHARS: Final = 500
SECURITY_NAME_CHARS: Final = 1_000
"""The name of a certificate's issuer."""
SECURITY_TOKEN_CHARS: Final = 16 * KB
"""A certificate or a signature value in base64."""
SECURITY_AGE_SECONDS: Final = 300
"""A signed or digested message may be this old; until then its nonce or signature is remembered."""
SECURITY_SKEW_SECONDS: Final = 60
"""How far the clocks of a peer and ours may differ."""

TEXT_CHARS: Final = 100_000
SUBJECT_CHARS: Final = 2_000
ID_CHARS: Final = 200
QUESTIONS_PER_APPEAL: Final = 100
APPEALS_PER_BATCH: Final = 100
MEX_REQUEST_BYTES: Final = 64 * KB
"""A question for metadata: a few headers, and no credential."""
ADDRESS_CHARS: Final = 2_000
"""An address in a WS-Addressing header."""
ROLE_CHARS: Final = 200
"""A relative role of a header block, and an xml:base around it, that are made into an address."""
REFERENCE_PARAMETERS: Final = 32
REFERENCE_PARAMETERS_BYTES: Final = 8 * KB
"""What a ReplyTo may have us repeat in the header of the answer."""
KEYS_PER_STATUS_CALL: Final = 500
EXTRAS_PER_ENTITY: Final = 500
TOPICS_PER_QUESTION: Final = 50
APPLICANTS_PER_APPEAL: Final = 1_000
REGISTRATIONS_PER_APPEAL: Final = 50
LINKS_PER_APPEAL: Final = 100
VIOLATIONS_REPORTED: Final = 20

RESPONSE_BYTES: Final = 60_000
"""Answers stay below unless MaxBytes asks for more: WCF's default limit is 65,536."""
RESPONSE_BYTES_MAX: Final = 10 * MB

INLINE_DECODE_BYTES: Final = 64 * KB
"""Bodies under it are decoded on the event loop; a thread hop costs 20–35 %."""
BODY_IN_ROW_BYTES: Final = 256 * KB
"""Message bodies and blobs up to it live in PostgreSQL, larger ones in the blob directory."""

COMMIT_BATCH_ITEMS: Final = 256
COMMIT_BATCH_BYTES: Final = 8 * MB
COMMIT_LONG_BYTES: Final = 32 * KB
"""An entry longer than this is written by a thread of its own, whatever waits in the other."""
COMMIT_LONG_BATCH_BYTES: Final = 1 * MB
"""What that thread writes in one transaction, unless a single entry is longer."""
BODIES_BYTES: Final = 128 * MB
BODIES_BYTES_OF_PEER: Final = 64 * MB
"""Bodies that one process holds between their first byte and their answer, unpacked."""
STRANGER_BODIES_BYTES: Final = 4 * MB
STRANGERS_BODIES_BYTES: Final = 64 * MB
"""Bodies of callers who have proven nothing yet, of one address while most is free, and of all."""
STRANGER_SITE: Final = 2
"""So many times as much for a /48 of IPv6."""
STRANGER_PACKED_BYTES: Final = 64 * KB
"""What is waited for of a stranger's packed package before it is unpacked."""
STRANGER_SECONDS: Final = 10.0
"""In which the envelope of somebody unproven has to be there."""
ANSWERS_BYTES: Final = 256 * MB
ANSWERS_BYTES_OF_PEER: Final = 96 * MB
"""Long answers that stand in memory until they are read, of one process and of one peer."""
LARGE_ANSWER_BYTES: Final = 256 * KB
"""An answer longer than this is counted until it was read, and so is a file in it."""
ANSWER_PIECE_BYTES: Final = 256 * KB
"""Of an answer given to the connection at a time; the next when its reader has made room."""
PARSED_BYTES: Final = 16 * MB
"""What the threads that parse read before they are replaced (`gateway.wires.parsing`)."""
REFUSED_BYTES: Final = 4 * MB
COMMIT_QUEUE_ITEMS: Final = 2_048
COMMIT_QUEUE_BYTES: Final = 128 * MB

TRIAGE_BATCH: Final = 50
TRIAGE_ATTEMPTS: Final = 5

HEADER_SECONDS: Final = 10.0
BODY_SECONDS: Final = 60.0
BODY_FLOOR_BYTES: Final = 512 * KB
"""What a body must bring in BODY_SECONDS to be waited for longer: a large one on a slow line."""
WRITE_SECONDS: Final = 60.0
"""How long an answer may lie unread; a reader that takes BODY_FLOOR_BYTES in it is waited for."""
LINGER_SECONDS: Final = 1.0
"""How long a refused connection is drained, so that its client can read why."""
CONNECTIONS_PER_ADDRESS: Final = 256
REQUESTS_AHEAD: Final = 16
"""Requests that a connection may send before the answer to an earlier one."""

ZIP_MEMBERS: Final = 1_000
ZIP_RATIO: Final = 200
ZIP_MEMBER_BYTES: Final = 64 * MB
ZIP_TOTAL_BYTES: Final = 512 * MB
LIST_ROWS: Final = 100_000
"""Rows of a node's list that is dropped as a file; fetched from the node it is read as it comes."""
ZIP_DIRECTORY_BYTES: Final = 2 * MB
"""Directory at the end of a package, 2 KB for each of its members."""
TABLE_COLUMNS: Final = 256
TABLE_CELL_CHARS: Final = 100_000
TABLE_ROW_BYTES: Final = 2 * MB
"""One row of a table, its line breaks within quotes included."""
TABLE_ROW_LINES: Final = 500
"""Lines that one row may span; past it an opened quote counts as never closed."""
TABLE_ROWS: Final = 2_000_000
WORKBOOK_BYTES: Final = 64 * MB
WORKBOOK_UNPACKED_BYTES: Final = 256 * MB
SHEET_ROWS: Final = 200_000
SHEET_CELLS: Final = 4_000_000
"""Cells between the first and the last that hold anything: they are all made room for."""
SHEET_CHARS: Final = 128 * MB
KEEPER_FILE_BYTES: Final = 256 * MB
KEEPER_ROWS: Final = 1_000_000
"""Of one file of who serves houses: a large region's houses, of one kind of service."""
FILE_BYTES: Final = 4096 * MB
"""A dropped file; a larger one is answered, but not copied into the store."""

DOCUMENT_FILE_BYTES: Final = 256 * MB
"""A dropped file in the format of an adapter, which is read in memory; a package is 50 MB, and a
document by itself, as one of a package, ZIP_MEMBER_BYTES at most."""

EMBEDDED_START_SECONDS: Final = 300.0
"""Waiting for the embedded PostgreSQL: recovery after a crash reads all its WAL first."""
EMBEDDED_STOP_SECONDS: Final = 300.0
"""A fast stop writes a checkpoint; past it the server is stopped at once and recovers later."""
EMBEDDED_BACKOFF_SECONDS: Final = 30.0
"""Longest pause between two starts of a PostgreSQL that keeps dying (a full disk, for example)."""
EMBEDDED_LOG_BYTES: Final = 8 * MB
SOCKET_PATH_BYTES: Final = 107
"""Of `sockaddr_un.sun_path` on Linux, without the closing NUL."""

FIAS_CATALOGUE_BYTES: Final = 4 * MB
FIAS_RELEASES: Final = 5_000
"""Releases in the catalogue of ФИАС; it held 63 of seven months in September 2026."""
FIAS_FILE_BYTES: Final = 200 * 1024 * MB
"""A delivery of ФИАС; the full one had 53 GB in September 2026."""
FIAS_FREE_BYTES: Final = 1024 * MB
"""Room that must be left on the disk beside a delivery."""
FIAS_ZIP_MEMBERS: Final = 20_000
"""Files in a delivery: some twenty of each region, and the dictionaries."""
FIAS_ZIP_TAIL_BYTES: Final = 16 * MB
"""Directory at the end of a delivery, which is read in memory."""
FIAS_CHECKED_BYTES: Final = 1024 * MB
"""A delivery up to here is unpacked once to check its sums; of a larger one the load does it."""
FIAS_ELEMENT_BYTES: Final = 1 * MB
"""One element of a file of ГАР; the longest of the schema has 8,000 characters in VALUE."""
FIAS_DEPTH: Final = 16
"""Elements within each other; the schema has two."""
FIAS_TEXT_CHARS: Final = 1_000
"""A name or a number; the longest of the schema has 250. A row with a longer one is passed over."""
FIAS_VALUE_CHARS: Final = 8_000
"""A parameter, or a path."""
FIAS_DICTIONARY_BYTES: Final = 16 * MB
"""Unpacked bytes of one dictionary of ГАР, which is read in memory; real ones have 100 KB."""
FIAS_DICTIONARY_ROWS: Final = 10_000

ADDRESSES_PER_CALL: Final = 500
SUGGESTIONS: Final = 50
"""Completions of an address that is being typed."""
ADDRESS_TEXT: Final = 1_000
"""Characters of one address in free text; the longest of the registry take about 250."""
