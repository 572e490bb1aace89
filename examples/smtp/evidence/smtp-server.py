"""What a raw socket shows of npm's smtp-server. Shares no code with wirechart.

    python3 smtp-server.py HOST PORT: exit 0 when every finding shows
"""
import socket
import sys


def ask(*lines):
    """Says each line when the one before is answered: the codes of the answers, the greeting's first."""
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
        return codes


# RFC 4954, 4: AUTH during a mail transaction must be rejected with 503. base64 is of \0ann\0sesame.
LOGIN = "AUTH PLAIN AGFubgBzZXNhbWU="
BEGUN = ("EHLO ev", "MAIL FROM:<ann@example.org>")
FINDINGS = [
    ("AUTH is accepted behind MAIL", (*BEGUN, LOGIN), "235"),
    ("AUTH is accepted behind RCPT", (*BEGUN, "RCPT TO:<ann@localhost>", LOGIN), "235"),
    ("AUTH is begun behind MAIL", (*BEGUN, "AUTH PLAIN"), "334"),
    ("AUTH is judged behind MAIL", (*BEGUN, "AUTH PLAIN AGFubgB4"), "535"),
]

missing = 0
for says, lines, expected in FINDINGS:
    codes = ask(*lines)
    missing += codes[-1] != expected
    print(f"{'SHOWN    ' if codes[-1] == expected else 'NOT SHOWN'} {says}: {' '.join(codes)}")
sys.exit(1 if missing else 0)
