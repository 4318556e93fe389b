"""``python -m pregon.simulacro.vivo FOLDER PORT PARENT``."""

from pregon.simulacro.vivo.servicio import main

if __name__ == "__main__":
    main()
