"""Turn standardised records into screening encodings and evidence.

Records come in; keyed digests, filters and tags go out; names and dates end here.
Rule: this room is given subkeys of one run. It never sees the linkage secret.
"""
