"""The contract text that this platform keeps."""

VERSION = 1
# SHA-256 of the first published text of version 1. A later text has the same number.
DIGEST = "39f54d890f9eb663538bd2f39806ee75b5dba1c9c5c994fe1406cb3cbc2910d7"
EFFECTIVE_AT = "2026-05-01T00:00:00Z"
