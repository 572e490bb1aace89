#!/usr/bin/env python3
"""A message-log client written from the protocol document alone (Python standard library, raw sockets).

    message_log_client.py HOST PORT NAME PASSWORD MESSAGE...   the old client's dialogue, a reply byte a line
    message_log_client.py HOST PORT --raw HEX [--chunk N]      any bytes; prints the replies, then how it ended
    message_log_client.py --batch < dialogues.jsonl            many raw conversations at once, JSON in and out

Exit status: 0 as expected, 1 the server refused, 2 usage, 3 a surprise (one line on standard error).
"""

import argparse
import json
import os
import select
import socket
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor

NAME, PASSWORD, MESSAGE, CLOSE = 1, 2, 3, 4
SUCCEEDED, FAILED = 0x00, 0xFF

# No conversation lasts longer, whatever the server does.
LONGEST_SECONDS = 30.0
# One byte answers one transaction: a server that says this much is not speaking the protocol.
MOST_REPLY_BYTES = 1 << 20


class Refused(Exception):
    """The server answered 0xff."""


class Surprise(Exception):
    """The server did what the document does not allow."""


def frame(code, payload):
    """One client frame: u8 code, u16 length (little-endian), payload."""
    if len(payload) > 0xFFFF:
        raise ValueError("a payload is at most 65535 bytes, this one has %d" % len(payload))
    return struct.pack("<BH", code, len(payload)) + payload


def as_bytes(text):
    return text if isinstance(text, bytes) else os.fsencode(text)


class Client:
    """The old client's shape: connects at once unless `defer`; every call waits for its reply byte."""

    def __init__(self, name, password, host="localhost", port=5555, defer=False, timeout=10.0):
        self.name = name
        self.password = password
        self.address = (host, port)
        self.timeout = timeout
        self.replies = []
        self._socket = None
        if not defer:
            self.connect()

    def connect(self):
        self._socket = socket.create_connection(self.address, self.timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transact("NAME", frame(NAME, as_bytes(self.name)))
        self._transact("PASSWORD", frame(PASSWORD, as_bytes(self.password)))

    def msg(self, message):
        self._transact("MESSAGE", frame(MESSAGE, as_bytes(message)))

    def disconnect(self):
        """Send the bare byte 04, wait for the reply, and see the server close."""
        if self._socket is None:
            return
        self._transact("CLOSE", bytes([CLOSE]))
        self._expect_end("CLOSE")

    def _transact(self, what, sent):
        if self._socket is None:
            raise Surprise("%s: not connected" % what)
        try:
            self._socket.sendall(sent)
            reply = self._socket.recv(1)
        except socket.timeout:
            raise Surprise("%s: no reply within %g s" % (what, self.timeout)) from None
        except OSError as error:
            raise Surprise("%s: %s" % (what, error)) from None
        if not reply:
            raise Surprise("%s: the server closed without a reply" % what)
        self.replies.append(reply[0])
        if reply[0] == FAILED:
            self._expect_end(what)
            raise Refused("%s refused" % what)
        if reply[0] != SUCCEEDED:
            raise Surprise("%s: reply 0x%02x, expected 0x00 or 0xff" % (what, reply[0]))

    def _expect_end(self, after):
        connection, self._socket = self._socket, None
        with connection:
            try:
                more = connection.recv(1)
            except socket.timeout:
                raise Surprise("%s: answered, but not closed within %g s" % (after, self.timeout)) from None
            except OSError as error:
                raise Surprise("%s: answered, but ended by: %s" % (after, error)) from None
            if more:
                raise Surprise("%s: answered twice, 0x%02x after the reply" % (after, more[0]))


def exchange(address, pieces, *, half_close=False, pace="none", pause=0.0, quiet=1.0):
    """Send `pieces` while reading, and return (reply bytes, ending).

    `ending` is "end" (FIN), "reset" (RST), "open" (silence for `quiet` seconds) or "flood". With
    pace="reply" a piece waits for a reply to the one before. Reading goes on while writing, so that a
    reply cannot be lost between the two.
    """
    replies = bytearray()
    pieces = [piece for piece in pieces if piece]
    with socket.create_connection(address, 5.0) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        finished_at = time.monotonic() + LONGEST_SECONDS
        quiet_at = time.monotonic() + quiet
        not_before = 0.0
        awaited = 0
        reset = False
        shut = False
        while True:
            now = time.monotonic()
            if now >= finished_at:
                return bytes(replies), "open"
            if not pieces and half_close and not shut and not reset:
                shut = True
                try:
                    connection.shutdown(socket.SHUT_WR)
                except OSError:
                    reset = True
            may_send = bool(pieces) and not reset and (pace != "reply" or len(replies) >= awaited)
            wait_until = min(quiet_at, finished_at)
            if may_send and now < not_before:
                wait_until = min(wait_until, not_before)
            writers = [connection] if may_send and now >= not_before else []
            readable, writable, _ = select.select([connection], writers, [], max(0.0, wait_until - now))
            if readable:
                try:
                    received = connection.recv(65536)
                except (ConnectionResetError, ConnectionAbortedError, BrokenPipeError):
                    return bytes(replies), "reset"
                if not received:
                    return bytes(replies), "reset" if reset else "end"
                replies += received
                if len(replies) > MOST_REPLY_BYTES:
                    return bytes(replies), "flood"
                quiet_at = time.monotonic() + quiet
            elif writable:
                try:
                    sent = connection.send(pieces[0])
                except (ConnectionResetError, ConnectionAbortedError, BrokenPipeError):
                    # What the server said before its RST may still be readable.
                    reset, pieces = True, []
                    continue
                pieces[0] = pieces[0][sent:]
                if not pieces[0]:
                    pieces.pop(0)
                    awaited = len(replies) + 1
                    not_before = time.monotonic() + pause
                quiet_at = time.monotonic() + quiet
            elif time.monotonic() >= quiet_at:
                return bytes(replies), "reset" if reset else "open"


def in_chunks(pieces, size):
    if not size:
        return pieces
    whole = b"".join(pieces)
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def converse(dialogue):
    """One line of --batch: its connections one after another."""
    answer = {"id": dialogue.get("id"), "connections": []}
    for part in dialogue["connections"]:
        pieces = in_chunks([bytes.fromhex(piece) for piece in part["send"]], part.get("chunk", 0))
        try:
            replies, ending = exchange(
                (dialogue.get("host", "127.0.0.1"), dialogue["port"]),
                pieces,
                half_close=part.get("halfClose", False),
                pace=part.get("pace", "none"),
                pause=part.get("pause", 0.0),
                quiet=dialogue.get("quiet", 1.0),
            )
            answer["connections"].append({"replies": replies[:4096].hex(), "ending": ending})
        except OSError as error:
            answer["connections"].append({"replies": "", "ending": "refused", "error": str(error)})
    return answer


def run_batch():
    dialogues = [json.loads(line) for line in sys.stdin if line.strip()]
    with ThreadPoolExecutor(max_workers=64) as pool:
        for answer in pool.map(converse, dialogues):
            print(json.dumps(answer), flush=True)


def run_raw(options):
    pieces = in_chunks([bytes.fromhex(options.raw)], options.chunk)
    replies, ending = exchange(
        (options.host, options.port),
        pieces,
        half_close=options.half_close,
        pause=options.pause,
        quiet=options.quiet,
    )
    print(replies.hex())
    print(ending)


def run_queued(options):
    """The whole dialogue queued, cut as asked; every reply is read after all was sent."""
    pieces = [frame(NAME, as_bytes(options.name)), frame(PASSWORD, as_bytes(options.password))]
    pieces += [frame(MESSAGE, as_bytes(message)) for message in options.message]
    # The half-closing client says goodbye by its FIN alone.
    if not options.half_close:
        pieces.append(bytes([CLOSE]))
    replies, ending = exchange(
        (options.host, options.port),
        [b"".join(pieces)] if not options.chunk else in_chunks(pieces, options.chunk),
        half_close=options.half_close,
        pause=options.pause,
        quiet=options.quiet,
    )
    for reply in replies:
        print("%02x" % reply)
    if ending != "end":
        raise Surprise("ended by %s, expected end" % ending)
    if replies and replies[-1] == FAILED and not any(replies[:-1]):
        raise Refused("transaction %d of %d refused" % (len(replies), len(pieces)))
    if replies != bytes(len(pieces)):
        raise Surprise("%d transactions were answered by %s" % (len(pieces), replies.hex() or "nothing"))


def run_dialogue(options):
    client = Client(options.name, options.password, options.host, options.port, defer=True)
    try:
        client.connect()
        for message in options.message:
            client.msg(message)
        client.disconnect()
    finally:
        for reply in client.replies:
            print("%02x" % reply)


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host", nargs="?")
    parser.add_argument("port", nargs="?", type=int)
    parser.add_argument("name", nargs="?")
    parser.add_argument("password", nargs="?")
    parser.add_argument("message", nargs="*")
    parser.add_argument("--raw", metavar="HEX", help="send these bytes; print the replies and the ending")
    parser.add_argument("--batch", action="store_true", help="conversations as JSON lines on standard input")
    parser.add_argument("--queue", action="store_true", help="all transactions in one segment")
    parser.add_argument("--chunk", type=int, default=0, metavar="N", help="send in pieces of N bytes")
    parser.add_argument("--pause", type=float, default=0.0, metavar="S", help="seconds between pieces")
    parser.add_argument("--half-close", action="store_true", help="FIN after the last byte, then read on")
    parser.add_argument("--quiet", type=float, default=1.0, metavar="S", help="silence that counts as 'open'")
    options = parser.parse_args(arguments)
    if not options.batch:
        missing = options.port is None or (options.raw is None and options.password is None)
        if missing:
            parser.error("expected HOST PORT NAME PASSWORD MESSAGE..., or HOST PORT --raw HEX, or --batch")
    return options


def main(arguments):
    options = parse(arguments)
    try:
        if options.batch:
            run_batch()
        elif options.raw is not None:
            run_raw(options)
        elif options.queue or options.chunk or options.half_close:
            run_queued(options)
        else:
            run_dialogue(options)
    except Refused as refusal:
        print("message-log client: %s" % refusal, file=sys.stderr)
        return 1
    except (Surprise, OSError, ValueError) as surprise:
        print("message-log client: %s" % surprise, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
