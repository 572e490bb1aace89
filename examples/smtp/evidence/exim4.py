from raw import PASSWORD, report

LONG = "a" * 3000

report(
    [
        ("a long EHLO is taken", "250", (f"EHLO {LONG}",)),
        ("a long HELO is taken", "250", (f"HELO {LONG}",)),
        ("a long NOOP is taken", "250", (f"NOOP {LONG}",)),
        ("a long AUTH is answered, and the connection goes on", "250", ("EHLO ev", f"AUTH {LONG}", "NOOP")),
        ("AUTH behind HELO is refused", "503", ("HELO ev", f"AUTH PLAIN {PASSWORD}")),
        ("AUTH that waits, behind HELO, is refused", "503", ("HELO ev", "AUTH PLAIN")),
        ("the end is an answer to AUTH", "535", ("EHLO ev", "AUTH PLAIN"), ""),
        ("a line that the end cuts short logs in", "235", ("EHLO ev", "AUTH PLAIN"), PASSWORD),
    ]
)
