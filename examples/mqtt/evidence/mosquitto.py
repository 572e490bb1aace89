from raw import PINGRESP, report


def passed_over(said, closed):
    return said == PINGRESP and not closed


def answered(said, closed):
    return said == PINGRESP * 2 and not closed


report(
    [
        # Table 2.1: these go from the server to the client; a violation ends the connection [MQTT-4.8.0-1].
        ("a client's UNSUBACK is passed over", "b0020001", True, passed_over),
        ("a client's SUBACK is passed over", "9003000100", True, passed_over),
        ("a client's PINGRESP is passed over", "d000", True, passed_over),
        # DUP is 0 with QoS 0 [MQTT-3.3.1-2]; a violation ends the connection [MQTT-4.8.0-1].
        ("a PUBLISH with DUP and QoS 0 is taken", "380400016178", True, passed_over),
        # Flags other than those of table 2.2 end the connection [MQTT-2.2.2-2].
        ("PUBACK with flags 6 is passed over", "46020001", True, passed_over),
        ("PUBREC with flags 1 is taken", "51020001", True, lambda said, closed: not closed and PINGRESP in said),
        ("PUBCOMP with flags 1 is passed over", "71020001", True, passed_over),
        ("UNSUBACK with flags 9 is passed over", "b9020001", True, passed_over),
        ("PINGRESP with flags 9 is passed over", "d900", True, passed_over),
        ("PINGREQ with flags 1 is answered", "c100", True, answered),
        ("PINGREQ with flags 1 and a content is answered", "c1020000", True, answered),
    ]
)
