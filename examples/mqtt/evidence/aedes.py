from raw import PINGRESP, report

CONNACK = bytes.fromhex("20020000")
PUBACK_0 = bytes.fromhex("40020000")

report(
    [
        # A level that is not supported is answered by CONNACK code 1, and then closed [MQTT-3.1.2-2].
        (
            "protocol level 9 gets no CONNACK",
            "100c00044d5154540902003c0000",
            False,
            lambda said, closed: said == b"" and closed,
        ),
        # No id and no clean session: CONNACK code 2, and then closed [MQTT-3.1.3-8].
        (
            "no client id and no clean session is welcome",
            "100c00044d5154540400003c0000",
            False,
            lambda said, closed: said == CONNACK and not closed,
        ),
        # The packet id of QoS 1 is not 0 [MQTT-2.3.1-1]; a violation ends the connection [MQTT-4.8.0-1].
        (
            "packet id 0 is acknowledged",
            "32050001610000",
            True,
            lambda said, closed: said == PUBACK_0 + PINGRESP and not closed,
        ),
        # DUP is 0 with QoS 0 [MQTT-3.3.1-2]; a violation ends the connection [MQTT-4.8.0-1].
        (
            "a PUBLISH with DUP and QoS 0 is taken",
            "380400016178",
            True,
            lambda said, closed: said == PINGRESP and not closed,
        ),
        # Ill-formed UTF-8 ends the connection [MQTT-1.5.3-1].
        (
            "a topic that is no UTF-8 is taken",
            "30040002c328",
            True,
            lambda said, closed: said == PINGRESP and not closed,
        ),
    ]
)
