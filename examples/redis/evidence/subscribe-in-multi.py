"""What a raw socket shows of redis-server: SUBSCRIBE in a transaction. Shares no code with wirechart.

    python3 subscribe-in-multi.py HOST PORT [PASSWORD]: exit 0 when every finding shows
"""
import socket
import sys

password = sys.argv[3] if len(sys.argv) > 3 else "sesame"
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2) as wire:

    def ask(line):
        wire.sendall(line.encode() + b"\r\n")
        return wire.recv(4096)

    assert ask(f"AUTH {password}") == b"+OK\r\n"
    # What may not come in a transaction has the flag no_multi; these have not, so the server may take them.
    flags = ask("COMMAND INFO SUBSCRIBE UNSUBSCRIBE")
    found = [
        ("neither command is flagged no_multi", flags, b"+noscript" in flags and b"no_multi" not in flags),
        ("MULTI", came := ask("MULTI"), came == b"+OK\r\n"),
        ("SUBSCRIBE is queued", came := ask("SUBSCRIBE news"), came == b"+QUEUED\r\n"),
        ("UNSUBSCRIBE is queued", came := ask("UNSUBSCRIBE other"), came == b"+QUEUED\r\n"),
        ("EXEC subscribes", came := ask("EXEC"), b"subscribe\r\n$4\r\nnews\r\n:1" in came),
        ("and GET may not come any more", came := ask("GET none"), came.startswith(b"-ERR Can't execute 'get'")),
    ]
for says, came, shows in found:
    print(f"{'SHOWN    ' if shows else 'NOT SHOWN'} {says}: {came[:80]}")
sys.exit(0 if all(shows for _, _, shows in found) else 1)
