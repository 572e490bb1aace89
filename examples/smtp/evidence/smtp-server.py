from raw import PASSWORD, report

# RFC 4954, 4: AUTH during a mail transaction must be rejected with 503.
LOGIN = f"AUTH PLAIN {PASSWORD}"
BEGUN = ("EHLO ev", "MAIL FROM:<ann@example.org>")

report(
    [
        ("AUTH is accepted behind MAIL", "235", (*BEGUN, LOGIN)),
        ("AUTH is accepted behind RCPT", "235", (*BEGUN, "RCPT TO:<ann@localhost>", LOGIN)),
        ("AUTH is begun behind MAIL", "334", (*BEGUN, "AUTH PLAIN")),
        ("AUTH is judged behind MAIL", "535", (*BEGUN, "AUTH PLAIN AGFubgB4")),
    ]
)
