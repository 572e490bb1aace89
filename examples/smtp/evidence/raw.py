"""What a raw socket shows of a mail server. Shares no code with wirechart.

    python3 smtp-server.py HOST PORT     (or exim4.py): exit 0 when every finding shows
"""
import socket
import sys

# base64 is of \0ann\0sesame.
PASSWORD = "AGFubgBzZXNhbWU="


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


def report(findings):
    """Each: what is said, the last code that shows it, the lines, and what comes behind them before the end, if that comes."""
    missing = 0
    for says, expected, lines, *last in findings:
        codes = ask(lines, *last)
        missing += codes[-1] != expected
        print(f"{'SHOWN    ' if codes[-1] == expected else 'NOT SHOWN'} {says}: {' '.join(codes)}")
    sys.exit(1 if missing else 0)
