"""``python -m pregon``: the same command as ``pregon``."""

from pregon.cli.app import main

if __name__ == "__main__":
    main()
