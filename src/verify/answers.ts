import { activeStates } from '../diagram/chart.ts';
import type { AnyAnswer, AnyExpected, AnySample } from '../transport/samples.ts';
import { stateValue } from './state-value.ts';

/** A decoded message, whichever it is. */
export interface Heard {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** What a sample asks of one message that comes back. */
export interface Wanted {
  readonly type: string;
  /** Why this message, of that type, is not what was asked for; nothing where it is. */
  readonly differs: (message: Heard) => string | undefined;
  /** Whether its content was asked for: one with another content may be meant for somebody else. */
  readonly byContent: boolean;
}

/** The answers of which any one is right, where a sample is sent in the state of that name. */
export function answersIn(sample: AnySample, state: string): readonly AnyExpected[] {
  const byState = answersByState(sample);
  if (byState === undefined) return always(sample.answer);
  const paths = ['', ...activeStates(stateValue(state))];
  const nearest = paths.filter((path) => path in byState).sort((one, other) => other.length - one.length)[0];
  return alternatives(nearest === undefined ? null : byState[nearest]);
}

/** The answers of a sample by the paths of states, where it has them so. */
export function answersByState({
  answer,
}: AnySample): Readonly<Record<string, AnyAnswer | null>> | undefined {
  return typeof answer === 'object' && isByState(answer) ? answer : undefined;
}

function always(answer: AnySample['answer']): readonly AnyExpected[] {
  if (answer === undefined || typeof answer === 'string') return alternatives(answer);
  return isList(answer) ? answer : isExpected(answer) ? [answer] : [];
}

/** The messages of which any one is right. */
export function alternatives(answer: AnyAnswer | null | undefined): readonly AnyExpected[] {
  if (answer === null || answer === undefined) return [];
  return isList(answer) ? answer : [answer];
}

/** `server.OK` of either way to say it. */
export function typeOf(expected: AnyExpected): string {
  return typeof expected === 'string' ? expected : expected.type;
}

/** An answer to `sent`: what it asks for, and what has to come back. */
export function wantedAnswer(expected: AnyExpected, { message, echoes, asMany }: AnySample): Wanted {
  const sent: Heard = { ...message };
  const { type, differs, byContent } = wanted(expected);
  return {
    type,
    byContent,
    differs(heard) {
      const echo = (echoes ?? []).find((key) => key in heard && !isSame(heard[key], sent[key]));
      if (echo !== undefined)
        return `${echo} ${shown(sent[echo])} must come back, and ${shown(heard[echo])} did`;
      for (const [key, other] of Object.entries(asMany ?? {})) {
        const [came, due] = [countOf(heard[key]), countOf(sent[other])];
        if (key in heard && came !== due)
          return `${key} must be as many as ${other}, ${due}, and are ${came}`;
      }
      return differs(heard);
    },
  };
}

/** A message that is asked for by its type, or with some of its fields. */
export function wanted(expected: AnyExpected): Wanted {
  if (typeof expected === 'string') return { type: expected, byContent: false, differs: () => undefined };
  const fields = Object.entries(expected).filter(([key]) => key !== 'type');
  return {
    type: expected.type,
    byContent: fields.length > 0,
    differs(heard) {
      const other = fields.find(([key, value]) => !isSame(heard[key], value));
      return other && `${other[0]} must be ${shown(other[1])}, and is ${shown(heard[other[0]])}`;
    },
  };
}

function isList(answer: NonNullable<AnySample['answer']>): answer is readonly AnyExpected[] {
  return Array.isArray(answer);
}

function isByState(answer: object): answer is Readonly<Record<string, AnyAnswer | null>> {
  return !Array.isArray(answer) && !('type' in answer);
}

function isExpected(answer: object): answer is { readonly type: string } {
  return 'type' in answer;
}

function countOf(value: unknown): number {
  return typeof value === 'string' || Array.isArray(value) || value instanceof Uint8Array ? value.length : 1;
}

/** Values of fields: bytes by their content, lists and records by their parts. */
function isSame(one: unknown, other: unknown): boolean {
  if (one instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(one, other) === 0;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((value, index) => isSame(value, other[index]));
  }
  if (isRecord(one) && isRecord(other)) {
    const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
    return [...keys].every((key) => isSame(one[key], other[key]));
  }
  return one === other;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
}

/** A value of a field for people: text as text, bytes in hex where they are none, no more than fits a line. */
export function shown(value: unknown): string {
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value).toString('latin1');
    return cut(
      /^[\x20-\x7e\r\n\t]*$/.test(text) ? JSON.stringify(text) : `0x${Buffer.from(value).toString('hex')}`,
    );
  }
  if (typeof value === 'bigint') return String(value);
  return cut(
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part)) ??
      'nothing',
  );
}

const MOST_SHOWN = 120;

function cut(text: string): string {
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}... (${text.length} characters)` : text;
}
