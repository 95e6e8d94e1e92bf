"""The clients in C, C++, Java and Python: see matrix.py."""

import harness
import matrix

harness.main(lambda folder: matrix.run(folder, matrix.QUICK))
