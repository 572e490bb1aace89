import { byId, element, eventElement, prepend, save, say } from './dom.ts';
import { long, time } from './format.ts';
import type { Step, StepMessages } from './message.ts';

/** Steps that are kept on the page. */
const MOST = 200;
/** Steps that are kept to be saved. */
const MOST_TOLD = 10_000;

/** One connection, followed step by step. */
export class Steps {
  readonly #panel = byId('followed');
  readonly #list = byId('steps');
  readonly #moved: (within: readonly string[]) => void;
  readonly #pause = byId('pause');
  #source: EventSource | undefined;
  /** While the reader looks at what is there, what comes waits, the newest last. */
  #waiting: HTMLElement[] | undefined;
  /** What was told of the connection, the oldest first, to be saved. */
  #told: object[] = [];

  /** @param moved told in which states the connection stands. */
  constructor(moved: (within: readonly string[]) => void) {
    this.#moved = moved;
    this.#pause.addEventListener('click', () => this.#hold(this.#waiting === undefined));
    byId('save').addEventListener('click', () => {
      const lines = this.#told.map((step) => `${JSON.stringify(step)}\n`).join('');
      save(`${byId('followed-title').textContent}.ndjson`, 'application/x-ndjson', lines);
    });
  }

  follow(id: number): void {
    this.close();
    const source = new EventSource(`/steps?connection=${id}`);
    this.#source = source;
    this.#hold(false);
    this.#told = [];
    this.#list.replaceChildren();
    this.#panel.hidden = false;
    this.#panel.scrollIntoView({ block: 'nearest' });
    say(byId('followed-title'), `Connection ${id}`);
    say(byId('followed-state'), '');
    const on = <N extends keyof StepMessages>(name: N, take: (message: StepMessages[N]) => void): void => {
      source.addEventListener(name, ({ data }) => take(JSON.parse(data)));
    };
    on('begin', ({ peer, since, state, within }) => {
      this.#stand(state, within);
      this.#add('note', `${peer}, since ${time(since)}`);
    });
    on('steps', ({ steps, skipped, state, within }) => {
      for (const step of steps) this.#put(itemOf(step));
      this.#told = [...this.#told, ...steps].slice(-MOST_TOLD);
      if (skipped > 0) this.#add('note', `… ${long(skipped)} more steps`);
      this.#stand(state, within);
    });
    on('ended', ({ cause }) => {
      this.#add('note', `over: ${cause}`);
      source.close();
      this.#moved([]);
    });
    // Gone before it could be followed, or with the whole server: the browser tries again in the second case only.
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) this.#add('note', 'not there any more');
    });
  }

  /** Ends the following and takes the panel away. */
  close(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#panel.hidden = true;
    this.#moved([]);
  }

  #stand(state: string, within: readonly string[]): void {
    say(byId('followed-state'), state);
    this.#moved(within);
  }

  #add(className: string, text: string): void {
    this.#put(element('li', className, text));
  }

  #put(item: HTMLElement): void {
    if (this.#waiting === undefined) prepend(this.#list, item, MOST);
    else this.#waiting = [...this.#waiting.slice(1 - MOST), item];
  }

  #hold(held: boolean): void {
    for (const item of this.#waiting ?? []) prepend(this.#list, item, MOST);
    this.#waiting = held ? [] : undefined;
    this.#pause.ariaPressed = String(held);
  }
}

function itemOf({ at, event, from, to, error }: Step): HTMLElement {
  const item = element('li', error === undefined ? '' : 'refused');
  item.append(element('time', '', time(at)), eventElement(event));
  const path = error ?? (from === to ? `stays in ${from}` : `${from} → ${to}`);
  item.append(element('span', 'path', path));
  return item;
}
