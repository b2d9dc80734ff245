"""Custody: identities, sealing, the linkage secret, and everything derived from it.

Bytes and names come in; sealed bytes, signatures, wrapped files and subkeys go out.
Rule: this room imports only the standard library and `cryptography`, and knows nothing of records.
It is the only door to `cryptography`; secrets never appear in a repr, an exception, a pickle, argv or the environment.

Reading order: labels, framing, guard, errors, kdf; identity, seal; files, passphrase, storage, vault;
secret, derive; aead.
Why each construction was chosen: docs/decisions/0001-cryptography.md.
"""
