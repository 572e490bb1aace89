"""python3 raw_words.py HOST PORT HEX...: sends each on one raw socket, and prints as JSON what came back on each."""
import json
import socket
import sys

host, port, *words = sys.argv[1:]
peer = socket.create_connection((host, int(port)), timeout=5)


def heard(quiet):
    peer.settimeout(quiet)
    data = b""
    try:
        while piece := peer.recv(4096):
            data += piece
            peer.settimeout(0.3)
    except TimeoutError:
        return data, False
    except ConnectionError:
        return data, True
    return data, True


greeting, closed = heard(0.7)
answers = []
for word in words:
    if closed:
        break
    peer.sendall(bytes.fromhex(word))
    data, closed = heard(1.5)
    answers.append({"hex": data.hex(), "closes": closed})
print(json.dumps(answers))
