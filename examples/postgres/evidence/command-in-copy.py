"""What a raw socket shows of a PostgreSQL server that gets another command while it copies. Shares no code with wirechart.

    python3 command-in-copy.py HOST PORT     exit 0 when every finding shows
"""
import socket
import struct
import sys

COPY = b"COPY information_schema.sql_features (comments) FROM STDIN WHERE false\0"


def message(letter, body=b""):
    return letter + struct.pack(">I", len(body) + 4) + body


QUERY = message(b"Q", b"SELECT 1\0")
PARSE = message(b"P", b"\0SELECT 1\0" + bytes(2))
BIND = message(b"B", bytes(8))
DESCRIBE = message(b"D", b"P\0")
EXECUTE = message(b"E", bytes(5))
CLOSE = message(b"C", b"P\0")
FLUSH, SYNC = message(b"H"), message(b"S")
SIMPLY = message(b"Q", COPY)
EXTENDED = message(b"P", b"\0" + COPY + bytes(2)) + BIND + EXECUTE + FLUSH


class Wire:
    def __init__(self):
        self.socket = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5)
        self.buffer = b""
        parameters = b"user\0postgres\0database\0postgres\0\0"
        self.socket.sendall(struct.pack(">II", len(parameters) + 8, 196608) + parameters)
        self.until(b"Z")

    def next(self):
        """The letter and the body of a message; None where the server has closed."""
        while len(self.buffer) < 5 or len(self.buffer) < 1 + struct.unpack(">I", self.buffer[1:5])[0]:
            try:
                piece = self.socket.recv(4096)
            except ConnectionResetError:
                piece = b""
            if not piece:
                return None
            self.buffer += piece
        end = 1 + struct.unpack(">I", self.buffer[1:5])[0]
        letter, body, self.buffer = self.buffer[:1], self.buffer[5:end], self.buffer[end:]
        return letter, body

    def until(self, letter):
        while (got := self.next())[0] != letter:
            pass


def severity(body):
    return next(field[1:].decode() for field in body.split(b"\0") if field[:1] == b"V")


missing = 0
for how, copying in (("simple", SIMPLY), ("extended", EXTENDED)):
    for name in ("QUERY", "PARSE", "BIND", "DESCRIBE", "EXECUTE", "CLOSE"):
        wire = Wire()
        wire.socket.sendall(copying)
        wire.until(b"G")
        # Right would be: an error, and after the SYNC a ReadyForQuery; and the connection stays.
        wire.socket.sendall(globals()[name])
        got = []
        while (one := wire.next()) is not None:
            got.append(one[0].decode() + (" " + severity(one[1]) if one[0] == b"E" else ""))
        holds = got == ["E ERROR", "E FATAL"]
        missing += not holds
        print(f"{'SHOWN    ' if holds else 'NOT SHOWN'} {name} in a copy of a {how} query: {', '.join(got)}, closed")
sys.exit(1 if missing else 0)
