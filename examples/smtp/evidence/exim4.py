"""What a raw socket shows of exim4. Shares no code with wirechart.

    python3 exim4.py HOST PORT: exit 0 when every finding shows
"""
import socket
import sys


def ask(lines, last=None):
    """Says each line when the one before is answered, then `last` and the end: the codes of the answers, the greeting's first."""
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5) as sock:
        answers = sock.makefile("rb")

        def code():
            while True:
                line = answers.readline()
                if line[3:4] != b"-":
                    return line[:3].decode()

        codes = [code()]
        for line in lines:
            sock.sendall(line.encode() + b"\r\n")
            codes.append(code())
        if last is not None:
            sock.sendall(last.encode())
            sock.shutdown(socket.SHUT_WR)
            codes.append(code())
        return codes


# base64 is of \0ann\0sesame.
PASSWORD = "AGFubgBzZXNhbWU="
LONG = "a" * 3000
FINDINGS = [
    ("a long EHLO is taken", ("EHLO " + LONG,), None, "250"),
    ("a long HELO is taken", ("HELO " + LONG,), None, "250"),
    ("a long NOOP is taken", ("NOOP " + LONG,), None, "250"),
    ("a long AUTH is answered, and the connection goes on", ("EHLO ev", "AUTH " + LONG, "NOOP"), None, "250"),
    ("AUTH behind HELO is refused", ("HELO ev", "AUTH PLAIN " + PASSWORD), None, "503"),
    ("AUTH that waits, behind HELO, is refused", ("HELO ev", "AUTH PLAIN"), None, "503"),
    ("the end is an answer to AUTH", ("EHLO ev", "AUTH PLAIN"), "", "535"),
    ("a line that the end cuts short logs in", ("EHLO ev", "AUTH PLAIN"), PASSWORD, "235"),
]

missing = 0
for says, lines, last, expected in FINDINGS:
    codes = ask(lines, last)
    missing += codes[-1] != expected
    print(f"{'SHOWN    ' if codes[-1] == expected else 'NOT SHOWN'} {says}: {' '.join(codes)}")
sys.exit(1 if missing else 0)
