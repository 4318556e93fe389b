"""SFTP and the old scp over one OpenSSH connection: ``conexion`` is what both share."""
