"""What verify found in pymodbus 3.0.0's server, over a bare socket: python3 pymodbus.py HOST PORT"""
import socket, sys, time

def ask(what, *pieces):
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=1) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                wire.sendall(piece)
                time.sleep(0.05)
            print(what, "->", wire.recv(300).hex(" ") or "end")
        except OSError as error:
            print(what, "->", repr(error))

coil = bytes.fromhex("12 34 00 00 00 06 01 05 00 01 12 34")
ask("a coil that is neither on nor off (exception 3 is due)", coil)
read = bytes.fromhex("12 34 00 00 00 06 01 03 00 00 00 01")
ask("a read in one segment", read)
for cut in (1, 7, 8, 10):
    ask(f"a read, cut behind byte {cut}", read[:cut], read[cut:])
ask("a read, byte by byte", *[bytes([byte]) for byte in read])
