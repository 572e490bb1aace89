#!/usr/bin/env python3
"""A basic-chat client written from the protocol document alone (Python standard library).

    basic_chat_client.py -u NAME [-s HOST] [-p PORT]           a line typed is sent; prints "from: message"
    basic_chat_client.py -u NAME --json --until N              prints every frame as a JSON line

Each DELIVER is acknowledged by the two-byte STATUS 04 00. The next line is sent when the STATUS of the last
has come. At the end of standard input it waits for what is owed (and for N DELIVERs), then leaves.

Exit status: 0 as expected, the code of a refusing STATUS, 2 usage, 3 a surprise (one line on standard error).
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

REGISTER, SEND, DELIVER, STATUS = 1, 2, 3, 4
OK = 0
LONGEST_STRING = 4095
PRINTABLE = frozenset(range(32, 127)) | {9, 10}

# What acknowledges a DELIVER: the common client's form, the full form, or nothing (a client that never reads).
RECEIPTS = {"short": b"\x04\x00", "full": b"\x04\x00\x00\x00", "none": b""}


class Refused(Exception):
    """The server answered by an error status and closed."""

    def __init__(self, code, reason):
        super().__init__(reason)
        self.code = code


class Surprise(Exception):
    """The server did what the document does not allow."""


def string(text):
    if len(text) > LONGEST_STRING:
        raise ValueError("a string is at most %d bytes, this one has %d" % (LONGEST_STRING, len(text)))
    return struct.pack("!H", len(text)) + text


class Frames:
    """Takes the server's frames out of a byte stream, however it is cut."""

    def __init__(self):
        self._bytes = bytearray()

    def feed(self, received):
        self._bytes += received
        while True:
            frame, used = self._first()
            if frame is None:
                return
            del self._bytes[:used]
            yield frame

    def begins_with(self, code):
        """Whether the bytes that are left are the beginning of such a frame."""
        return self._bytes[:1] == bytes([code])

    def _first(self):
        if not self._bytes:
            return None, 0
        code = self._bytes[0]
        if code == DELIVER:
            sender, at = self._string(1)
            message, at = self._string(at)
            if message is None:
                return None, 0
            return {"received": "deliver", "from": sender, "message": message}, at
        if code == STATUS:
            message, at = self._string(2)
            if message is None:
                return None, 0
            return {"received": "status", "code": self._bytes[1], "message": message}, at
        raise Surprise("a frame of code %d, expected 3 (DELIVER) or 4 (STATUS)" % code)

    def _string(self, at):
        if at is None or len(self._bytes) < at + 2:
            return None, None
        (length,) = struct.unpack_from("!H", self._bytes, at)
        if length > LONGEST_STRING:
            raise Surprise("a string of %d bytes, expected at most %d" % (length, LONGEST_STRING))
        end = at + 2 + length
        if len(self._bytes) < end:
            return None, None
        text = bytes(self._bytes[at + 2 : end])
        if not PRINTABLE.issuperset(text):
            raise Surprise("a string that holds other bytes than 9, 10 and 32..126: %r" % text)
        return text.decode("ascii"), end


class Client:
    """One end of the dialogue, without its input and output loops."""

    def __init__(self, username, host="127.0.0.1", port=9001, receipts="short", wait=True, show=None):
        self._connection = socket.create_connection((host, port), 10.0)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.settimeout(None)
        self._frames = Frames()
        self._receipt = RECEIPTS[receipts]
        self._wait = wait
        self._show = show or (lambda frame: None)
        self._unsent = collections.deque()
        self._registered = False
        self._refused = None
        self._unacknowledged = 0
        self.awaited = 1
        self.delivered = 0
        self._connection.sendall(bytes([REGISTER]) + string(os.fsencode(username)))

    def read(self):
        """Some bytes, or b"" at the end. The only call that waits; it may run in a thread of its own."""
        return self._connection.recv(65536)

    def send(self, message):
        """Queue a message; it leaves when the STATUS of the one before has come."""
        self._unsent.append(bytes([SEND]) + string(message))
        self._pump()

    def owes(self):
        """Whether a STATUS is still awaited or a message unsent."""
        return self.awaited > 0 or bool(self._unsent)

    def receive(self, received):
        for frame in self._frames.feed(received):
            self._show(frame)
            if frame["received"] == "status":
                self._receive_status(frame["code"], frame["message"])
            else:
                self._receive_deliver()
        # Acknowledged only here: a second DELIVER among these bytes came before its time.
        if self._unacknowledged and self._frames.begins_with(DELIVER):
            raise Surprise("a second DELIVER before the first was acknowledged")
        if self._unacknowledged and self._receipt:
            self._unacknowledged = 0
            self._connection.sendall(self._receipt)
        self._pump()

    def receive_end(self, how):
        self._show({"received": how})
        if self._refused is not None:
            raise self._refused
        raise Surprise("the server went away (%s)" % how)

    def leave(self):
        self._connection.close()

    def _receive_status(self, code, reason):
        if self._refused is not None:
            raise Surprise("a STATUS after the STATUS that refused")
        if self.awaited == 0:
            # Inactivity, or a violation of ours: the server closes now.
            if code == OK:
                raise Surprise("a STATUS 0 that nobody awaits")
            self._refused = Refused(code, reason)
            return
        self.awaited -= 1
        if self._registered or code == OK:
            self._registered = True
            if code != OK:
                print("basic-chat client: not sent: %s" % reason, file=sys.stderr)
        else:
            self._refused = Refused(code, reason)

    def _receive_deliver(self):
        if not self._registered:
            raise Surprise("a DELIVER before the STATUS of REGISTER")
        self.delivered += 1
        self._unacknowledged += 1
        if self._unacknowledged > 1:
            raise Surprise("a second DELIVER before the first was acknowledged")

    def _pump(self):
        while self._registered and self._unsent and (self.awaited == 0 or not self._wait):
            self._connection.sendall(self._unsent.popleft())
            self.awaited += 1


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
    bound(options.longest + 5.0, "basic-chat client")
    def show(frame):
        if options.json:
            print(json.dumps(frame), flush=True)
        elif frame["received"] == "deliver":
            print("%s: %s" % (frame["from"], frame["message"]), flush=True)

    finish_at = time.monotonic() + options.longest
    client = Client(options.u, options.s, options.p, options.receipts, not options.no_wait, show)
    events = queue.Queue()
    watch("server", client.read, events)
    watch("input", sys.stdin.buffer.readline, events)
    more_input = True
    while more_input or client.owes() or client.delivered < options.until:
        try:
            source, what = events.get(timeout=max(0.0, finish_at - time.monotonic()))
        except queue.Empty:
            owed = "%d STATUS and %d of %d DELIVERs" % (client.awaited, client.delivered, options.until)
            raise Surprise("not finished after %g s: %s" % (options.longest, owed)) from None
        if source == "input":
            line = (what or b"").rstrip(b"\r\n")
            more_input = bool(what)
            if not line:
                continue
            try:
                client.send(line)
            except ValueError as error:
                print("basic-chat client: not sent: %s" % error, file=sys.stderr)
        elif what:
            client.receive(what)
        else:
            client.receive_end("end" if what == b"" else "reset")
    client.leave()


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-u", required=True, metavar="NAME")
    parser.add_argument("-s", default="127.0.0.1", metavar="HOST")
    parser.add_argument("-p", default=9001, type=int, metavar="PORT")
    parser.add_argument("--json", action="store_true", help="print every frame as a JSON line")
    parser.add_argument("--until", type=int, default=0, metavar="N", help="stay for N DELIVERs in all")
    parser.add_argument("--receipts", choices=RECEIPTS, default="short", help="form of the client's STATUS")
    parser.add_argument("--no-wait", action="store_true", help="SEND without waiting for the last STATUS")
    parser.add_argument("--longest", type=float, default=60.0, metavar="S", help="bound on the run time")
    options = parser.parse_args(arguments)
    try:
        converse(options)
    except KeyboardInterrupt:
        return 0
    except Refused as refusal:
        print("basic-chat client: refused: %s" % refusal, file=sys.stderr)
        return refusal.code
    except (Surprise, OSError, ValueError) as surprise:
        print("basic-chat client: %s" % surprise, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    outcome = main(sys.argv[1:])
    sys.stdout.flush()
    # A thread may still be waiting for standard input: do not wait for it.
    os._exit(outcome)
