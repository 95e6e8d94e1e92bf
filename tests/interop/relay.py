"""A relay between clients and one broker that keeps the frames that pass, and can make the broker look older.

Clients speak the highest version that both sides know, so a cap on what the broker advertises makes today's client
speak any version that it still has. Only ApiVersions answers are touched, and only on their way to the client;
what is kept is what the other side really sent.
"""

import socket
import struct
import threading

from sillok_server import free_port

API_VERSIONS_KEY = 18
UNKNOWN_VERSION = 0x7F


class Relay:
    def __init__(self, broker_port, keep):
        """keep(api_key, version, request, response) gets each exchange, without the length prefixes."""
        self.port = free_port()
        self.cap = lambda api_key, lowest, highest: highest
        self._broker_port = broker_port
        self._keep = keep
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                broker = socket.create_connection(("127.0.0.1", self._broker_port))
            except OSError:
                client.close()
                continue
            for end in (client, broker):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _Connection(self, client, broker).start()

    def exchanged(self, request, response):
        api_key, version = struct.unpack_from(">hh", request)
        self._keep(api_key, version, request, response)


class _Connection:
    def __init__(self, relay, client, broker):
        self._relay = relay
        self._client = client
        self._broker = broker
        self._waiting = {}  # correlation id -> request; acks=0 requests stay, which does no harm

    def start(self):
        for source, sink, change in ((self._client, self._broker, self._request),
                                     (self._broker, self._client, self._response)):
            threading.Thread(target=self._pump, args=(source, sink, change), daemon=True).start()

    def _pump(self, source, sink, change):
        stream = source.makefile("rb")
        try:
            while True:
                prefix = stream.read(4)
                if len(prefix) < 4:
                    break
                frame = change(stream.read(struct.unpack(">i", prefix)[0]))
                sink.sendall(struct.pack(">i", len(frame)) + frame)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _request(self, frame):
        api_key, version, correlation = struct.unpack_from(">hhi", frame)
        if api_key == API_VERSIONS_KEY and version > self._relay.cap(api_key, 0, version):
            # Asked in a version above the cap: let the broker itself answer that it does not know it.
            self._waiting[correlation] = None
            return struct.pack(">hh", api_key, UNKNOWN_VERSION) + frame[4:]
        self._waiting[correlation] = frame
        return frame

    def _response(self, frame):
        request = self._waiting.pop(struct.unpack_from(">i", frame)[0], b"")
        if request is None:
            return self._capped(frame, 0)
        if not request:
            return frame
        self._relay.exchanged(request, frame)
        api_key, version = struct.unpack_from(">hh", request)
        return self._capped(frame, version) if api_key == API_VERSIONS_KEY else frame

    def _capped(self, frame, version):
        """The ApiVersions answer with lower maxima; its length does not change."""
        frame = bytearray(frame)
        error = struct.unpack_from(">h", frame, 4)[0]
        flexible = version >= 3 and error == 0
        place = 6
        if flexible:
            count, place = _unsigned_varint(frame, place)
            count -= 1
        else:
            count = struct.unpack_from(">i", frame, place)[0]
            place += 4
        for _ in range(count):
            api_key, lowest, highest = struct.unpack_from(">hhh", frame, place)
            struct.pack_into(">h", frame, place + 4, max(lowest, self._relay.cap(api_key, lowest, highest)))
            place += 7 if flexible else 6
        return bytes(frame)


def _unsigned_varint(data, place):
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, place
