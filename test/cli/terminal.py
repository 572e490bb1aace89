"""Runs a command on a terminal of its own: terminal.py STEPS COMMAND... < input-file

STEPS is JSON, [[awaited, typed], ...]: each text is typed once the awaited one has been shown. Prints all that the
terminal shows, and ends with the command's exit status. With a file as standard input the command reads that,
and the terminal is its controlling terminal only.
"""

import json
import os
import pty
import select
import stat
import sys

steps = [(awaited.encode(), typed.encode()) for awaited, typed in json.loads(sys.argv[1])]
is_file = stat.S_ISREG(os.fstat(0).st_mode)
saved = os.dup(0)
pid, terminal = pty.fork()
if pid == 0:
    if is_file:
        os.dup2(saved, 0)
    os.execvp(sys.argv[2], sys.argv[2:])

shown = b""
seen = 0
while True:
    ready, _, _ = select.select([terminal], [], [], 20)
    if not ready:
        os.kill(pid, 9)
        break
    try:
        chunk = os.read(terminal, 4096)
    except OSError:  # Linux says so when the last one has left the terminal
        break
    if not chunk:
        break
    shown += chunk
    while steps and steps[0][0] in shown[seen:]:
        seen = len(shown)
        os.write(terminal, steps.pop(0)[1])
sys.stdout.buffer.write(shown)
sys.stdout.flush()
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)
