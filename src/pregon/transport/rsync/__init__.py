"""rsync over SSH and to its daemon: ``destino`` the carrier, ``puertas`` its two ways in, ``fallas`` what it says."""
