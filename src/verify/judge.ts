import { REFUSED, step } from '../machine/table.ts';
import type { Asked } from '../transport/asked.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { Heard, Wanted } from './answers.ts';
import type { Use } from './inputs.ts';
import { bareName, type Effect } from './project.ts';

/** Hears what a server says to one input, message by message, and says whether it is what should come. */
export class Judge {
  readonly #protocol: AnyProtocol;
  readonly #effect: Effect;
  readonly #passing: ReadonlySet<string>;
  /** Answers of which one is due, while none came. */
  #answers: readonly Wanted[];
  readonly #first: Wanted | undefined;
  /** What is due besides. */
  #pushes: Wanted[];
  /** What was due and came. */
  readonly #met: Wanted[] = [];
  /** What counts of what was heard. */
  readonly heard: Heard[] = [];
  /** Types of what may come at any time, and did. */
  readonly passedOver = new Set<string>();
  readonly #asked: Asked | undefined;
  readonly #sent: readonly { readonly type: string }[];
  #at: number;
  /** Where the dialogue ends: the state in which the server may still say something unasked. */
  #leaving: number;
  /** Events of the client that were sent and are not read yet. */
  readonly #unread: number[];
  #wrong: string | undefined;
  /** Why something that came was not counted, should what is due never come. */
  #foreign: string | undefined;

  /** @param use where the answer's content is known; otherwise its type alone counts. */
  constructor(
    protocol: AnyProtocol,
    effect: Effect,
    passing: ReadonlySet<string>,
    use?: Pick<Use, 'answers' | 'pushes' | 'messages'>,
    asked?: Asked,
  ) {
    this.#asked = asked;
    this.#sent = use?.messages ?? [];
    this.#protocol = protocol;
    this.#effect = effect;
    this.#passing = passing;
    const declared = use?.answers ?? [];
    this.#answers = effect.answers.flatMap((type) => {
      const meant = declared.filter((wanted) => wanted.type === type);
      return meant.length > 0 ? meant : [ofType(type)];
    });
    this.#first = this.#answers[0];
    this.#pushes = effect.pushes.length === 0 ? [] : [...(use?.pushes ?? effect.pushes.map(ofType))];
    this.#at = effect.judging;
    this.#leaving = effect.leaving;
    this.#unread = [...effect.behind];
    this.#read();
  }

  /** Why what was heard is not what should come: empty where that shows; `undefined` while nothing is wrong. */
  get wrong(): string | undefined {
    return this.#wrong;
  }

  /** Why something was passed over that might have been what is due. */
  get foreign(): string | undefined {
    return this.#foreign;
  }

  /** All that is due has come. */
  get complete(): boolean {
    if (this.#effect.optional && this.heard.length === 0) return true;
    const { serverOwes, final } = this.#protocol.table;
    const owes = this.#at !== REFUSED && serverOwes[this.#at] === 1 && final[this.#at] !== 1;
    return this.#answers.length === 0 && this.#pushes.length === 0 && !owes;
  }

  /** Right, but leading elsewhere than to where the test goes on: another right answer than the one that was planned. */
  get diverged(): boolean {
    return (
      !this.#effect.refuses && this.complete && this.#wrong === undefined && this.#at !== this.#effect.next
    );
  }

  hear(message: Heard): void {
    const expected = this.#asked?.expects(message);
    if (expected === undefined) this.#asked?.note(message);
    else this.#wrong ??= `${bareName(message.type)}: expected ${expected}`;
    if (this.#take(message)) this.heard.push(message);
    else this.passedOver.add(message.type);
  }

  /** @returns whether the message counts. */
  #take(message: Heard): boolean {
    const { type } = message;
    const answer = this.#among(this.#answers, message);
    if (answer !== undefined) {
      this.#wrong ??= answer.differs(message);
      // Only the answer that was meant has an aftermath for sure.
      if (answer !== this.#first) this.#pushes = [];
      this.#answers = [];
      this.#meet(answer, type);
      return true;
    }
    const push = this.#pushes.find((one) => one.type === type && one.differs(message) === undefined);
    if (push !== undefined) {
      this.#pushes.splice(this.#pushes.indexOf(push), 1);
      this.#meet(push, type);
      return true;
    }
    if (this.#lasts(type)) return false;
    const alike = [...this.#pushes, ...this.#met].filter((one) => one.type === type);
    // Where content was asked for, what has another content may be meant for anybody.
    const isAgain = alike.some((one) => !one.byContent || one.differs(message) === undefined);
    const isMeant = this.#sent.some((sent) => this.#asked?.answers(message, sent));
    if (this.#passing.has(type) && !isAgain && !isMeant) {
      this.#foreign ??= alike.map((one) => one.differs(message)).find((reason) => reason !== undefined);
      return false;
    }
    if (this.#isDemanded(type)) {
      this.#follow(type);
      return true;
    }
    this.#wrong ??= alike.length > 0 && !this.complete ? alike[0]?.differs(message) : undefined;
    this.#wrong ??= isAgain ? `${bareName(type)} came once more than it should` : '';
    return true;
  }

  /** The answer that a message is: one that it agrees with, else one of its type. */
  #among(answers: readonly Wanted[], message: Heard): Wanted | undefined {
    const alike = answers.filter((one) => one.type === message.type);
    return alike.find((one) => one.differs(message) === undefined) ?? alike[0];
  }

  /** Whether it is said unasked, before the end. */
  #lasts(type: string): boolean {
    const { table } = this.#protocol;
    if (this.#leaving === REFUSED) return false;
    const next = step(table, this.#leaving, table.events.indexOf(type));
    if (next === REFUSED) return false;
    this.#leaving = next;
    return true;
  }

  #meet(wanted: Wanted, type: string): void {
    this.#met.push(wanted);
    this.#follow(type);
  }

  #follow(type: string): void {
    if (this.#effect.refuses) return;
    const { table } = this.#protocol;
    const to = step(table, this.#at, table.events.indexOf(type));
    if (to === REFUSED) {
      this.#wrong ??= `${bareName(type)} came in ${table.states[this.#at]}, where the machine does not have it`;
    } else {
      this.#at = to;
      this.#read();
    }
  }

  /** The server owes nothing: it reads on. */
  #read(): void {
    const { table } = this.#protocol;
    while (this.#unread.length > 0 && table.serverOwes[this.#at] !== 1 && table.final[this.#at] !== 1) {
      this.#at = step(table, this.#at, this.#unread.shift() ?? REFUSED);
    }
  }

  /** What the machine demands behind the answers, where the sample says no more. */
  #isDemanded(type: string): boolean {
    const { table } = this.#protocol;
    if (this.#effect.refuses || this.#answers.length > 0 || this.#at === REFUSED) return false;
    if (table.serverOwes[this.#at] !== 1) return false;
    const next = step(table, this.#at, table.events.indexOf(type));
    // What leads nowhere is demanded by nobody.
    return next !== REFUSED && next !== this.#at;
  }
}

function ofType(type: string): Wanted {
  return { type, byContent: false, differs: () => undefined };
}
