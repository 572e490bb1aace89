import { say } from './dom.ts';
import { short } from './format.ts';
import type { Hello, Live, RefusalNote } from './message.ts';

/** Samples from which the flow is taken: a second's worth, and one. */
const WINDOW = 11;
/** A flow of less than so many a second is shown event by event. */
const SLOW = 4;
const FLASH = 800;
const REFUSED = 1200;

interface Sample {
  readonly now: number;
  readonly taken: readonly number[];
}

/** The place of an edge in a drawing: its number goes to `text`, and adds to the weight of `arrow`. */
interface Flow {
  readonly text: Element;
  readonly edge: Element | null;
  readonly arrow: Element | null;
  /** Numbers of the edges that were drawn as this one. */
  readonly edges: readonly number[];
}

/** The place of a state's number in a drawing. `words`: what is written in the state besides. */
interface Count {
  readonly text: Element;
  readonly state: Element | null;
  readonly words: string;
  readonly number: number;
}

/** The statechart, wide and narrow: connections in each state, flow on each edge, flashes where somebody is refused. */
export class Picture {
  readonly #drawings: readonly SVGSVGElement[];
  #counts: readonly Count[] = [];
  #refusals: readonly { readonly text: Element; readonly number: number }[] = [];
  #flows: readonly Flow[] = [];
  #samples: Sample[] = [];
  #started = 0;

  constructor(chosen: (state: string) => void) {
    this.#drawings = [...document.querySelectorAll<SVGSVGElement>('svg.wirechart')];
    for (const drawing of this.#drawings) {
      // A picture has no buttons inside, a group may.
      drawing.setAttribute('role', 'group');
      for (const state of drawing.querySelectorAll<SVGGElement>('.state')) {
        const id = state.dataset['state'] ?? '';
        if (id.includes('.')) continue;
        state.setAttribute('tabindex', '0');
        state.setAttribute('role', 'button');
        state.addEventListener('click', () => chosen(id));
        state.addEventListener('keydown', (pressed) => {
          if (pressed.key !== 'Enter' && pressed.key !== ' ') return;
          pressed.preventDefault();
          chosen(id);
        });
      }
    }
  }

  /** Where a drawing is wider than its place, its states are what to see first. */
  #centre(): void {
    for (const drawing of this.#drawings) {
      const [place, state] = [drawing.parentElement, drawing.querySelector('.state')];
      if (place === null || state === null || place.scrollWidth <= place.clientWidth) continue;
      const [outer, inner] = [place.getBoundingClientRect(), state.getBoundingClientRect()];
      place.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
    }
  }

  begin({ started, states, edges }: Hello): void {
    if (started === this.#started) return;
    this.#started = started;
    this.#samples = [];
    this.#centre();
    const all = (selector: string) => this.#drawings.flatMap((svg) => [...svg.querySelectorAll(selector)]);
    this.#counts = all('.count').map((text) => ({
      text,
      state: text.closest('.state'),
      words: [...(text.parentElement?.querySelectorAll('text:not(.count)') ?? [])]
        .map(({ textContent }) => textContent)
        .join(' '),
      number: states.indexOf(text.getAttribute('data-count') ?? ''),
    }));
    this.#refusals = all('.refusals').map((text) => ({
      text,
      number: states.indexOf(text.getAttribute('data-refusals') ?? ''),
    }));
    this.#flows = all('.flow')
      // A request that is drawn once for each of its outcomes shows no number: the replies say which way it went.
      .filter((text) => {
        const same = `.flow[data-flow="${CSS.escape(text.getAttribute('data-flow') ?? '')}"]`;
        return text.closest('svg')?.querySelectorAll(same).length === 1;
      })
      .map((text) => ({
        text,
        edge: text.closest('.edge'),
        arrow: text.closest('.arrow'),
        edges: (text.getAttribute('data-flow') ?? '').split(' ').map((id) => edges.indexOf(id)),
      }));
  }

  show({ now, standing, refused, taken }: Live): void {
    for (const { text, state, words, number } of this.#counts) {
      const count = standing[number] ?? 0;
      say(text, count === 0 ? '' : short(count));
      state?.setAttribute('aria-label', `${words} ${count === 0 ? 'no' : short(count)} connections`);
    }
    for (const { text, number } of this.#refusals) {
      const count = refused[number] ?? 0;
      say(text, count === 0 ? '' : `${short(count)} refused`);
    }
    const last = this.#samples.at(-1);
    this.#samples = [...this.#samples.slice(1 - WINDOW), { now, taken }];
    const [oldest = { now, taken }] = this.#samples;
    const seconds = Math.max(0.1, (now - oldest.now) / 1000);
    const weights = new Map<Element, number>();
    for (const { text, edge, arrow, edges } of this.#flows) {
      const grown = (since: Sample) =>
        edges.reduce((sum, number) => sum + (taken[number] ?? 0) - (since.taken[number] ?? 0), 0);
      const flow = grown(oldest) / seconds;
      say(text, flow === 0 ? '' : `${short(flow)}/s`);
      if (arrow !== null) weights.set(arrow, (weights.get(arrow) ?? 0) + flow);
      if (edge !== null && last !== undefined && flow < SLOW && grown(last) > 0) flash(edge, 'flash', FLASH);
    }
    for (const [arrow, flow] of weights) {
      const line = arrow.querySelector<SVGElement>('.line');
      const width = flow === 0 ? '' : String(1.8 + Math.log10(1 + flow) * 0.7);
      if (line !== null && line.style.strokeWidth !== width) line.style.strokeWidth = width;
    }
  }

  /** Flashes the state in which somebody was refused. What was tried has no edge there: that is why. */
  refuse({ within }: RefusalNote): void {
    for (const state of this.#closed(within)) flash(state, 'refused', REFUSED);
  }

  /** The drawing that is seen, as a document of its own. */
  source(): string {
    const shown = this.#drawings.find((drawing) => drawing.checkVisibility()) ?? this.#drawings[0];
    return shown === undefined ? '' : new XMLSerializer().serializeToString(shown);
  }

  /** Marks where the followed connection stands; nothing when none is followed. */
  mark(within: readonly string[]): void {
    const standing = new Set(this.#closed(within));
    for (const drawing of this.#drawings) {
      for (const state of drawing.querySelectorAll('.state')) {
        state.classList.toggle('active', standing.has(state));
      }
    }
  }

  /** Marks the state whose connections are listed. */
  choose(chosen: string | undefined): void {
    for (const drawing of this.#drawings) {
      for (const state of drawing.querySelectorAll<SVGElement>('.state[role=button]')) {
        state.setAttribute('aria-pressed', String(state.dataset['state'] === chosen));
      }
    }
  }

  /** The innermost drawn states among these. */
  #closed(ids: readonly string[]): Element[] {
    return this.#drawings.flatMap((drawing) =>
      ids.flatMap((id) => [...drawing.querySelectorAll(`.state:not(.open)[data-state="${CSS.escape(id)}"]`)]),
    );
  }
}

const endings = new WeakMap<Element, ReturnType<typeof setTimeout>>();

/** Shows an animation from its beginning, also while it is still running. */
function flash(target: Element, name: 'flash' | 'refused', duration: number): void {
  clearTimeout(endings.get(target));
  target.classList.remove(name);
  target.getBoundingClientRect();
  target.classList.add(name);
  endings.set(
    target,
    setTimeout(() => target.classList.remove('flash', 'refused'), duration),
  );
}
