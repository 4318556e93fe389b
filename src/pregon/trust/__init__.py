"""Keys, signing and verification (TUF): the only maker of a ``VerifiedManifest``, the only room that knows TUF."""
