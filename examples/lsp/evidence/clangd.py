"""Shows what verify found in clangd, without wirechart: python3 clangd.py ends with 0 where all of it shows."""
import re
import subprocess
import sys


def framed(text):
    return f"Content-Length: {len(text)}\r\n\r\n{text}"


def said(*pieces):
    """What clangd says to all of it, up to the end of its input; each without its header."""
    done = subprocess.run(["clangd", "--log=error"], input="".join(pieces).encode(), capture_output=True, timeout=60)
    return re.split(r"Content-Length: \d+\r\n\r\n", done.stdout.decode())[1:]


def request(id, method, params="{}"):
    return framed(f'{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}')


start = '{"processId":null,"rootUri":null,"capabilities":{}}'
initialize = request(1, "initialize", start)
shows = {
    # LSP 3.17, shutdown: what comes behind it is answered with InvalidRequest, -32600.
    "a request behind shutdown": '"code":-32601' in said(initialize, request(2, "shutdown"), request(3, "nothing"))[-1],
    "a second shutdown": said(initialize, request(2, "shutdown"), request(3, "shutdown"))[-1].count('"result":null') == 1,
    # JSON-RPC 2.0, 5.1: a parse error is answered with -32700 and the id null.
    "no JSON": len(said(framed("xyzzy"), initialize)) == 1,
    # JSON-RPC 2.0, 5.1: what is no request is answered with -32600 and the id null.
    "no request": said(framed('{"wirechart":"xyzzy"}'), initialize) == [],
    # Its last byte never came: that of the message before, of the same length, was taken for it.
    "half a message": '"id":2' in said(initialize, request(2, "initialize", start)[:-1])[-1],
}
for name, is_shown in shows.items():
    print(f"{name}: {'shown' if is_shown else 'NOT SHOWN'}")
sys.exit(0 if all(shows.values()) else 1)
