"""The clients in Go, Rust and JavaScript and rsyslog, with those of matrix_test.py: see matrix.py."""

import harness
import matrix

harness.main(lambda folder: matrix.run(folder, matrix.QUICK + matrix.FETCHED, known=matrix.QUICK))
