import type { AnyProtocol } from '../transport/protocol.ts';
import type { AnySample, AnySamples } from '../transport/samples.ts';

/**
 * The samples of a protocol, changed by an object as it is read from a JSON file: credentials that a server accepts,
 * contents that it knows.
 *
 * By the id of a sample: the fields to change, `answer` for another answer, `null` to leave the sample out. A new id
 * needs a `type`. Text stands for bytes too; `{ "hex": "00ff" }` is any bytes; `$unique` in a text becomes a text that
 * was never used before.
 *
 * @example
 * ```json
 * { "NAME": { "payload": "ann" }, "PASSWORD": { "payload": "Correct horse" }, "PASSWORD/refused": null }
 * ```
 * @throws TypeError naming the sample and the field that does not fit.
 */
export function withSamples(protocol: AnyProtocol, changes: unknown): (unique: string) => AnySamples {
  if (!isObject(changes)) throw new TypeError('samples are an object: sample ids, and the fields to change');
  const changed = (unique: string): AnySamples => {
    const { messages, ...rest } = protocol.samples(unique);
    const all: Record<string, AnySample> = { ...messages };
    for (const [id, change] of Object.entries(changes)) {
      if (change === null) delete all[id];
      else all[id] = sampleOf(protocol, all[id], id, change, unique);
    }
    return { ...rest, messages: all };
  };
  // What does not fit is told before anything is sent.
  mustEncode(protocol, changed('a'));
  return changed;
}

/** @throws TypeError naming the sample that its frame cannot say, and the field. */
export function mustEncode(protocol: AnyProtocol, { messages }: AnySamples): void {
  for (const [id, { message, leads = [], follows = [] }] of Object.entries(messages)) {
    try {
      for (const each of [...leads, message, ...follows]) protocol.encode(each);
    } catch (error) {
      throw new TypeError(`sample ${id}: ${error instanceof Error ? error.message : error}`);
    }
  }
}

function sampleOf(
  protocol: AnyProtocol,
  given: AnySample | undefined,
  id: string,
  change: unknown,
  unique: string,
): AnySample {
  if (!isObject(change)) throw new TypeError(`sample ${id}: expected fields, or null`);
  const { type = given?.message.type, answer = given?.answer, ...fields } = change;
  if (typeof type !== 'string' || !(type in protocol.frames) || !type.startsWith('client.')) {
    const known = Object.keys(protocol.frames).filter((name) => name.startsWith('client.'));
    throw new TypeError(`sample ${id}: expected a type of ${known.join(', ')}`);
  }
  if (!isAnswer(answer)) {
    throw new TypeError(`sample ${id}: answer is a name, a list of names, or one of them for each state`);
  }
  const { fields: known, whole } = protocol.entry(type).frame;
  const message: { type: string; [field: string]: unknown } = { ...given?.message, type };
  for (const [key, value] of Object.entries(fields)) {
    if (whole !== undefined) {
      message[key] = JSON.parse(JSON.stringify(value).replaceAll('$unique', unique));
      continue;
    }
    const carries = known.find((named) => named.key === key)?.field.carries;
    if (carries === undefined) throw new TypeError(`sample ${id}: ${type} has no field ${key}`);
    message[key] = fieldValue(value, unique, `sample ${id}: ${key}`, carries === 'bytes');
  }
  return { ...given, message, ...(answer === undefined ? {} : { answer }) };
}

/** As it stands in a file: whether the names are known is told where the sample is used. */
function isAnswer(value: unknown): value is AnySample['answer'] | undefined {
  if (value === undefined || typeof value === 'string') return true;
  if (Array.isArray(value)) return value.every((one) => typeof one === 'string' || isObject(one));
  return isObject(value) && Object.values(value).every((one) => one === null || isAnswer(one));
}

function fieldValue(value: unknown, unique: string, where: string, isBytes: boolean): unknown {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') {
    const text = value.replaceAll('$unique', unique);
    return isBytes ? Buffer.from(text) : text;
  }
  if (isObject(value) && typeof value['hex'] === 'string' && /^([0-9a-f]{2})*$/i.test(value['hex'])) {
    const bytes = Buffer.from(value['hex'], 'hex');
    return isBytes ? bytes : bytes.toString('latin1');
  }
  throw new TypeError(`${where}: expected a text, a number or { "hex": "00ff" }`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
