/** A deviation that is known, and why it is no matter. */
export interface Waiver {
  /** The id of a finding, or of one of the other places where it shows; a star at its end stands for any rest. */
  readonly finding: string;
  readonly reason: string;
}

/**
 * Waivers, as they are read from a JSON file: `[{ "finding": "NAME/MESSAGE", "reason": "RFC 5321, 4.3.2 allows it" }]`.
 *
 * @throws TypeError naming the entry that does not fit.
 */
export function waiversOf(json: unknown): readonly Waiver[] {
  if (!Array.isArray(json)) throw new TypeError('waivers are a list of { "finding": ID, "reason": TEXT }');
  return json.map((entry: unknown, index): Waiver => {
    const { finding, reason } =
      typeof entry === 'object' && entry !== null ? { finding: '', reason: '', ...entry } : {};
    if (typeof finding !== 'string' || typeof reason !== 'string' || finding === '' || reason === '') {
      throw new TypeError(`waiver ${index + 1}: expected { "finding": ID, "reason": TEXT }`);
    }
    return { finding, reason };
  });
}

/** Whether a waiver is meant for a finding with one of these ids. */
export function waives({ finding }: Waiver, ids: readonly string[]): boolean {
  return ids.some((id) => (finding.endsWith('*') ? id.startsWith(finding.slice(0, -1)) : id === finding));
}
