"""Which APIs a broker offers, asked by ApiVersions 0 over a bare socket."""

import socket
import struct

from harness import Failure

API_VERSIONS = 18
TIMEOUT_S = 10


def apis(address):
    """{key: (lowest, highest version)}."""
    host, port = address.rsplit(":", 1)
    request = struct.pack(">hhih", API_VERSIONS, 0, 1, -1)
    with socket.create_connection((host, int(port)), TIMEOUT_S) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as answers:
            [size] = struct.unpack(">i", answers.read(4))
            body = answers.read(size)
    _, error, count = struct.unpack_from(">ihi", body)
    if error != 0 or len(body) != 10 + 6 * count:
        raise Failure(f"the answer to ApiVersions 0 has error {error} and {len(body)} bytes")
    return {key: (low, high) for key, low, high in struct.iter_unpack(">hhh", body[10:])}
