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
];
