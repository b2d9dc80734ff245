"""What each party does, as straight recipes over nouns: no file is opened here, and no party knows another."""
