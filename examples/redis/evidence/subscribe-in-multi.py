"""What a Redis server answers to SUBSCRIBE in a transaction: python3 subscribe-in-multi.py HOST PORT PASSWORD"""
import socket, sys

host, port, password = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with socket.create_connection((host, port), timeout=2) as wire:
    for line in (f"AUTH {password}", "MULTI", "SUBSCRIBE news", "EXEC", "GET none"):
        wire.sendall(line.encode() + b"\r\n")
        print(line if not line.startswith("AUTH") else "AUTH ...", "->", wire.recv(4096))
