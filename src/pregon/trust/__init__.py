"""Keys, signing and verification (TUF): the only maker of a ``VerifiedManifest``, the only room that knows TUF."""

import sys


def _without_boto3() -> None:
    """Load the library of signatures as where there is no boto3.

    It imports boto3 wherever that is installed (the extra ``nube``), for a signer of Amazon's that nothing here uses:
    0.4 s more of every process, and most of the memory of a small one.
    """
    if "boto3" in sys.modules:
        return
    sys.modules["boto3"] = None  # type: ignore[assignment] # so says the import system: as if it were not there
    try:
        import securesystemslib.signer  # noqa: F401
    finally:
        del sys.modules["boto3"]


_without_boto3()
