import type { Cursor } from '../cursor.ts';
import type { Entry, Framing } from '../decoder.ts';
import { LocalError } from '../errors.ts';
import type { Field } from '../fields/field.ts';
import type { Frame, Whole } from '../frame.ts';
import { allocate, utf8 } from '../memory.ts';
import { type Envelope, inWebSocket } from './envelope.ts';
import { type Composite, Discriminator } from './pattern.ts';
import { type StandardSchema, validate } from './schema.ts';

/** The byte by which RFC 6455 begins the frame that closes a WebSocket; no text in UTF-8 begins so. */
export const CLOSE = 0x88;

/** The status with which a WebSocket is closed. */
export interface CloseStatus {
  readonly status: number;
  readonly reason: string;
}

/** How one message is told from others, judged, and kept from being shown. */
export interface JsonDeclaration {
  readonly told: Discriminator | CloseStatus;
  readonly schema: StandardSchema | undefined;
  readonly secret: ReadonlySet<string>;
  readonly max: number;
}

/** What tells such messages apart. */
export type MakeDecoder = (entries: readonly Entry[], envelope: Envelope) => Framing;

/** A message that is a JSON text, or the close of a WebSocket, in an envelope. */
export class JsonMessage implements Whole {
  readonly envelope: Envelope;
  readonly declared: JsonDeclaration;
  readonly frame: Frame<never>;

  readonly #decoder: MakeDecoder;

  constructor(declared: JsonDeclaration, decoder: MakeDecoder, envelope: Envelope = inWebSocket()) {
    this.declared = declared;
    this.#decoder = decoder;
    this.envelope = envelope;
    this.frame = this.#frame();
  }

  get says(): string {
    const { told } = this.declared;
    return told instanceof Discriminator ? told.says : `closes with ${told.status}`;
  }

  decoder(entries: readonly Entry[]): Framing {
    return this.#decoder(entries, this.envelope);
  }

  in(envelope: Envelope): Frame<never> {
    return new JsonMessage(this.declared, this.#decoder, envelope).frame;
  }

  /** The message under its name, or `undefined` with the cursor's fault where its content is refused. */
  judge(value: Composite, type: string, cursor: Cursor): { readonly type: string } | undefined {
    const { schema, secret, told } = this.declared;
    const fields = told instanceof Discriminator ? told.fieldsOf(value) : {};
    // It was parsed for us: no copy is made.
    if (schema === undefined) return Object.assign(fields, { type });
    const judged = validate(schema, fields, secret);
    if ('value' in judged) return { ...judged.value, type };
    cursor.fault = judged.fault;
    return undefined;
  }

  /** What of a message goes onto the wire, as UTF-8. */
  #content(message: object): Uint8Array {
    const { told, max } = this.declared;
    if (!(told instanceof Discriminator))
      return Uint8Array.of(CLOSE, told.status >> 8, told.status & 0xff, ...utf8(told.reason));
    let text: string;
    try {
      text = told.textOf(message);
    } catch (error) {
      throw new LocalError('expected what JSON can say', 'unencodable', { cause: error });
    }
    const content = utf8(text);
    if (content.length > max)
      throw new LocalError(`expected a text of at most ${max} bytes, got ${content.length}`);
    return content;
  }

  #frame(): Frame<never> {
    const { envelope, declared } = this;
    const { told, secret, max } = declared;
    const keys = new Set([...(told instanceof Discriminator ? told.present.values() : []), ...secret]);
    let sized: object | undefined;
    let content: Uint8Array = NOTHING;
    const size = (message: object): number => {
      content = this.#content(message);
      sized = message;
      return envelope.size(content.length);
    };
    const write = (message: object, into: Uint8Array, at: number): number => {
      // Whoever asked for the size writes at once.
      if (sized !== message) size(message);
      sized = undefined;
      into.set(content, envelope.write(content.length, into, at));
      return at + envelope.size(content.length);
    };
    const constant = told instanceof Discriminator ? undefined : allocate(size(NO_FIELDS));
    if (constant !== undefined) write(NO_FIELDS, constant, 0);
    return {
      says: `${this.says}: ${envelope.says}`,
      fields: [...keys].map((key) => ({ key, field: jsonValue(secret.has(key)), optional: false })),
      minimum: envelope.size(2),
      maximum: max + envelope.overhead,
      steps: [],
      otherwise: false,
      streams: undefined,
      constant,
      inPlace: undefined,
      whole: this,
      // Its decoder has read it by the time that it has a name.
      read: () => false,
      readWhole: () => undefined,
      size,
      write,
      // Nobody knows what a schema takes: samples do.
      sample: () => Object.fromEntries([...keys].map((key) => [key, 0])),
    };
  }
}

const NOTHING = new Uint8Array(0);
const NO_FIELDS = {};

/** The value of a key, for those who ask what is shown of it: as part of a text it is neither read nor written alone. */
function jsonValue(secret: boolean): Field<unknown> {
  return {
    says: 'a value of JSON',
    carries: 'other',
    secret,
    minimum: 0,
    maximum: 0,
    read: () => undefined,
    size: () => 0,
    write: (_value, _into, at) => at,
  };
}
