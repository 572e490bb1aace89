/** What is thought of a difference between two servers. */
export interface Judgement {
  /** Of `ONE OTHER PROOF: ANSWER ~ ANSWER`. */
  readonly difference: RegExp;
  readonly verdict: string;
  readonly because: string;
}

/** The first that matches counts. */
export const judgements: readonly Judgement[] = [
  {
    difference: /^mosquitto aedes CONNECT:nobody:/,
    verdict: 'fault of aedes',
    because: 'no client id without a clean session must be answered by code 2 [MQTT-3.1.3-8]',
  },
  {
    difference: /^mosquitto aedes CONNECT:level:/,
    verdict: 'fault of aedes',
    because: 'a level that is not supported must be answered by a CONNACK with code 1 [MQTT-3.1.2-2]',
  },
  {
    difference: /^mosquitto aedes \S*PUBLISH0:not-utf8:/,
    verdict: 'fault of aedes',
    because: 'ill-formed UTF-8 must end the connection [MQTT-1.5.3-1]',
  },
  {
    difference: /^mosquitto aedes \S*PUBLISH1:id-0:/,
    verdict: 'fault of aedes',
    because: 'a packet id must not be 0 [MQTT-2.3.1-1], and a violation ends the connection [MQTT-4.8.0-1]',
  },
  {
    difference: /^mosquitto aedes CONNECT:code-90: closes ~ silence/,
    verdict: 'fault of aedes',
    because: 'the first packet must be a CONNECT; what is not must end the connection [MQTT-3.1.0-1]',
  },
  {
    difference: /^mosquitto aedes CONNECT\/\w+:code-(?:90|b0|b2|b4|d0): silence ~ closes/,
    verdict: 'fault of mosquitto',
    because:
      'SUBACK, UNSUBACK and PINGRESP go from the server to the client only (table 2.1); a violation must end the connection [MQTT-4.8.0-1]',
  },
  {
    difference: /^the example of Redis redis-server \S*MULTI\/SUBSCRIBE: ERROR ~ SIMPLE/,
    verdict: 'freedom',
    because:
      'what may not come in a transaction has the flag no_multi (COMMAND INFO), and SUBSCRIBE has not; the example leaves it out there',
  },
  {
    difference: /^(?:smtp-server )?opensmtpd (?:exim4 )?RSET:/,
    verdict: 'freedom',
    because: 'before EHLO it should be taken, and need not be (RFC 5321, 4.1.4)',
  },
  {
    difference: /^(?:smtp-server )?opensmtpd (?:exim4 )?\S*NOOP:words:/,
    verdict: 'freedom',
    because: 'what stands behind it should be ignored, and need not be (RFC 5321, 4.1.1.9)',
  },
  {
    difference: /^smtp-server opensmtpd \S*VRFY: OK ~ NO/,
    verdict: 'fault of opensmtpd',
    because: 'all must have VRFY, and who does not want to tell answers 252 (RFC 5321, 4.5.1 and 7.3)',
  },
  {
    difference: /^smtp-server exim4 \S*VRFY: OK ~ NO/,
    verdict: 'unclear',
    because:
      'a name without a domain may stand there (RFC 5321, 3.5.1), and is said to be bad syntax; but what a name is, is local',
  },
  {
    difference: /^(?:smtp-server )?opensmtpd (?:exim4 )?EHLO\/(?:\S+\/)?(?:EHLO|HELO):/,
    verdict: 'freedom',
    because: 'a second greeting is taken where it is acceptable to the server (RFC 5321, 4.1.4)',
  },
  {
    difference: /^smtp-server (?:opensmtpd|exim4) \S*MAIL\/(?:RCPT\/)?AUTH:later: CHALLENGE ~ NO/,
    verdict: 'fault of smtp-server',
    because: 'AUTH is not permitted in a mail transaction, and must be rejected there (RFC 4954, 4)',
  },
  {
    difference: /^smtp-server exim4 HELO\/AUTH:later: CHALLENGE ~ NO/,
    verdict: 'freedom',
    because: 'behind HELO no extension is offered, and AUTH is one (RFC 4954, 3)',
  },
  {
    difference: /opensmtpd (?:exim4 )?EHLO\/AUTH:later:/,
    verdict: 'freedom',
    because: 'AUTH is an extension, and opensmtpd does not offer it without TLS (RFC 4954, 3)',
  },
];
