"""What a raw socket shows of pymodbus' server. Shares no code with wirechart.

    python3 pymodbus.py HOST PORT: exit 0 when every finding shows
"""
import socket
import sys
import time


def ask(*pieces):
    """Sends the pieces, a twentieth of a second apart: what comes within half a second, or that it was cut off."""
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=0.5) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                wire.sendall(piece)
                time.sleep(0.05)
            return wire.recv(300).hex(" ") or "cut off"
        except TimeoutError:
            return "nothing"
        except OSError:
            return "cut off"


READ = bytes.fromhex("12 34 00 00 00 06 01 03 00 00 00 01")
assert ask(READ).startswith("12 34 00 00 00 05 01 03 02 "), "a read in one segment must be answered"
# 3.1.2 of the messaging guide: the header says how long a message is, for those that come in several packets.
findings = [(f"a read that is cut behind byte {at}", ask(READ[:at], READ[at:]), "cut off") for at in (8, 10)]
# 6.5 of the application protocol: all values but 0000 and FF00 are illegal, and answered by exception 3.
neither = ask(bytes.fromhex("12 34 00 00 00 06 01 05 00 01 12 34"))
findings.append(("a coil that is neither on nor off is written", neither, "12 34 00 00 00 06 01 05 00 01 00 00"))
for says, came, shows in findings:
    print(f"{'SHOWN    ' if came == shows else 'NOT SHOWN'} {says}: {came}")
sys.exit(0 if all(came == shows for _, came, shows in findings) else 1)
