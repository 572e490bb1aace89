#!/usr/bin/env python3
"""An account-chat client written from the protocol document alone (Python standard library, `struct`).

    account_chat_client.py HOST PORT [--queue] [--longest S]

Commands on standard input, one a line; every frame received is printed as a JSON line:

    register USER PASSWORD    login USER PASSWORD    deleteacc    accdump    accfilter PATTERN
    message USER TEXT...      wait N (go on after N new messages in all)     raw HEX (one answer is awaited)

What cannot be sent (not ASCII, too long, no such command) is printed as {"refused": reason}. A command waits
for the answer of the one before, unless --queue. Exit status: 0 when everything was answered, 2 usage,
3 a surprise, such as a server that goes away (one line on standard error).
"""

import argparse
import collections
import json
import os
import queue
import socket
import struct
import sys
import threading
import time

REGISTER, LOGIN, DELETE, DUMP, FILTER, MESSAGE, ERR, SUC, NEW_MESSAGE = range(9)

CREDENTIALS = struct.Struct("!B16s64s")
BARE = struct.Struct("!B")
WILDCARD = struct.Struct("!B16s")
CONTENT = struct.Struct("!B16s512s")
OUTCOME = struct.Struct("!B256s")

SENT_BY_SERVER = {ERR: OUTCOME, SUC: OUTCOME, NEW_MESSAGE: CONTENT}

# The document gives each frame's size in bytes: the formats must agree with it.
assert [layout.size for layout in (CREDENTIALS, BARE, WILDCARD, CONTENT, OUTCOME)] == [81, 1, 17, 529, 257]


class Refusal(Exception):
    """What was typed cannot be sent."""


class Surprise(Exception):
    """The server did what the document does not allow."""


def field(text, size, what):
    """An ASCII field; struct pads it with NULs. A full field has no NUL."""
    try:
        octets = text.encode("ascii")
    except UnicodeEncodeError:
        raise Refusal("%s is not ASCII" % what) from None
    if b"\0" in octets:
        raise Refusal("%s holds a NUL" % what)
    if len(octets) > size:
        raise Refusal("%s has %d bytes, at most %d fit" % (what, len(octets), size))
    return octets


def string(padded):
    """The bytes before the first NUL, as text; what follows must be padding."""
    text, _, padding = padded.partition(b"\0")
    if padding.strip(b"\0"):
        raise Surprise("a field with other bytes than NUL after its first NUL")
    try:
        return text.decode("ascii")
    except UnicodeDecodeError:
        raise Surprise("a field that is not ASCII: %r" % text) from None


def request(line):
    """One command's frame, and whether its answer may come in several frames."""
    command, _, rest = line.partition(" ")
    words = rest.split(" ", 1)
    if command in ("register", "login") and len(words) == 2:
        code = REGISTER if command == "register" else LOGIN
        return CREDENTIALS.pack(code, field(words[0], 16, "the name"), field(words[1], 64, "the password")), False
    if command == "deleteacc" and not rest:
        return BARE.pack(DELETE), False
    if command == "accdump" and not rest:
        return BARE.pack(DUMP), True
    if command == "accfilter" and rest:
        return WILDCARD.pack(FILTER, field(rest, 16, "the pattern")), True
    if command == "message" and len(words) == 2:
        return CONTENT.pack(MESSAGE, field(words[0], 16, "the name"), field(words[1], 512, "the text")), False
    if command == "raw" and rest:
        try:
            return bytes.fromhex(rest), False
        except ValueError:
            raise Refusal("raw takes bytes in hex") from None
    raise Refusal("no such command: %s" % ascii(command))


class Client:
    """One end of the dialogue, without its input and output loops."""

    def __init__(self, host, port, show, wait=True):
        self._connection = socket.create_connection((host, port), 10.0)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.settimeout(None)
        self._show = show
        self._wait = wait
        self._bytes = bytearray()
        self._unsent = collections.deque()
        # One entry for each request that is not answered: may its answer be continued?
        self.awaited = collections.deque()
        self.new_messages = 0

    def read(self):
        """Some bytes, or b"" at the end. The only call that waits; it may run in a thread of its own."""
        return self._connection.recv(65536)

    def send(self, line):
        if line.startswith("wait "):
            if not line[5:].isdigit():
                raise Refusal("wait takes a number")
            self._unsent.append(int(line[5:]))
        else:
            self._unsent.append(request(line))
        self._pump()

    def owes(self):
        return bool(self.awaited or self._unsent)

    def receive(self, received):
        self._bytes += received
        while self._bytes:
            layout = SENT_BY_SERVER.get(self._bytes[0])
            if layout is None:
                raise Surprise("a frame of code %d, expected 6 (err), 7 (suc) or 8 (nms)" % self._bytes[0])
            if len(self._bytes) < layout.size:
                break
            self._receive_frame(layout.unpack_from(self._bytes))
            del self._bytes[: layout.size]
        self._pump()

    def receive_end(self, how):
        self._show({"received": how})
        raise Surprise("the server went away (%s)" % how)

    def leave(self):
        self._connection.close()

    def _receive_frame(self, frame):
        if frame[0] == NEW_MESSAGE:
            self.new_messages += 1
            self._show({"received": "nms", "from": string(frame[1]), "message": string(frame[2])})
            return
        name = "err" if frame[0] == ERR else "suc"
        message = string(frame[1])
        if not self.awaited:
            self._show({"received": name, "message": message})
            raise Surprise("%s, but no request awaits an answer" % name)
        may_continue = self.awaited.popleft()
        # A list's frame that ends in a comma is continued in the next.
        continued = may_continue and name == "suc" and message.endswith(",")
        if continued:
            self.awaited.appendleft(may_continue)
        self._show({"received": name, "message": message, "continued": continued})

    def _pump(self):
        while self._unsent and not (self._wait and self.awaited):
            head = self._unsent[0]
            if isinstance(head, int):
                if self.new_messages < head:
                    return
            else:
                sent, may_continue = head
                self.awaited.append(may_continue)
                self._connection.sendall(sent)
            self._unsent.popleft()


def watch(source, read, events):
    """Put what `read` answers on the queue until it answers nothing."""

    def loop():
        try:
            while True:
                what = read()
                events.put((source, what))
                if not what:
                    return
        except OSError:
            events.put((source, None))

    threading.Thread(target=loop, daemon=True).start()


def bound(seconds, name):
    """Ends the process even while it is stuck in a call to the system."""

    def end():
        print("%s: stuck for %g s" % (name, seconds), file=sys.stderr, flush=True)
        os._exit(3)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def converse(options):
    bound(options.longest + 5.0, "account-chat client")
    def show(frame):
        print(json.dumps(frame), flush=True)

    finish_at = time.monotonic() + options.longest
    client = Client(options.host, options.port, show, not options.queue)
    events = queue.Queue()
    watch("server", client.read, events)
    watch("input", sys.stdin.buffer.readline, events)
    more_input = True
    while more_input or client.owes():
        try:
            source, what = events.get(timeout=max(0.0, finish_at - time.monotonic()))
        except queue.Empty:
            raise Surprise(
                "not finished after %g s: %d answers awaited, %d new messages so far"
                % (options.longest, len(client.awaited), client.new_messages)
            ) from None
        if source == "input":
            more_input = bool(what)
            line = (what or b"").decode("utf-8", "replace").strip("\r\n")
            if not line:
                continue
            try:
                client.send(line)
            except Refusal as refusal:
                show({"refused": str(refusal)})
        elif what:
            client.receive(what)
        else:
            client.receive_end("end" if what == b"" else "reset")
    client.leave()


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--queue", action="store_true", help="send without waiting for answers")
    parser.add_argument("--longest", type=float, default=60.0, metavar="S", help="bound on the run time")
    options = parser.parse_args(arguments)
    try:
        converse(options)
    except KeyboardInterrupt:
        return 0
    except (Surprise, OSError) as surprise:
        print("account-chat client: %s" % surprise, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    outcome = main(sys.argv[1:])
    sys.stdout.flush()
    # A thread may still be waiting for standard input: do not wait for it.
    os._exit(outcome)
