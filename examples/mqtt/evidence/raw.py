"""What a raw socket shows of an MQTT broker. Shares no code with wirechart.

    python3 mosquitto.py HOST PORT     (or aedes.py): exit 0 when every finding shows
"""
import socket
import sys

# CONNECT, protocol level 4, clean session, keep-alive 60, client id "ev"
CONNECT = bytes.fromhex("100e00044d5154540402003c00026576")
PINGREQ = bytes.fromhex("c000")
PINGRESP = bytes.fromhex("d000")


def ask(packets, connected):
    """Sends packets, behind a CONNECT and before a PINGREQ or alone: the answers, and whether the broker closed."""
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2) as sock:
        if connected:
            sock.sendall(CONNECT)
            connack = sock.recv(4)
            assert connack == bytes.fromhex("20020000"), connack.hex()
        sock.sendall(packets + PINGREQ if connected else packets)
        sock.settimeout(0.7)
        answers = b""
        try:
            while piece := sock.recv(4096):
                answers += piece
            return answers, True
        except TimeoutError:
            return answers, False
        except ConnectionResetError:
            return answers, True


def report(findings):
    """Each: what is said, the packets in hex, whether behind a CONNECT, whether what came shows it."""
    missing = 0
    for says, packets, connected, shows in findings:
        answers, closed = ask(bytes.fromhex(packets), connected)
        holds = shows(answers, closed)
        missing += not holds
        came = f"{answers.hex() or 'nothing'}, {'closed' if closed else 'left open'}"
        print(f"{'SHOWN    ' if holds else 'NOT SHOWN'} {says}: {packets} -> {came}")
    sys.exit(1 if missing else 0)
