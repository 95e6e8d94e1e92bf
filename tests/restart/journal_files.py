"""The commit journal's files as they lie in a log directory, for tests that kill or cut."""

import glob
import os

BLOCK_SIZE = 4096
FRAME_MAGIC = b"SLJR"


def journal_files(folder):
    return sorted(glob.glob(os.path.join(folder, "sillok-journal-*")))


def is_in_use(folder):
    """Whether a round was ever written to one of them: a frame stands behind the block of its header."""
    for path in journal_files(folder):
        with open(path, "rb") as file:
            file.seek(BLOCK_SIZE)
            if file.read(len(FRAME_MAGIC)) == FRAME_MAGIC:
                return True
    return False
