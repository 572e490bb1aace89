import { byId, element, say } from './dom.ts';
import { age, long } from './format.ts';
import type { Listing, Row } from './message.ts';

interface Shown {
  readonly row: HTMLTableRowElement;
  readonly cells: readonly HTMLTableCellElement[];
}

const classes = ['number id', 'state', 'peer', 'number age', 'number received', 'error'];

/** The list of connections: as many rows as the server sends, changed in place. */
export class Connections {
  readonly #body = byId('rows');
  readonly #shown = new Map<number, Shown>();
  readonly #chosen: (id: number) => void;
  #followed: number | undefined;

  constructor(chosen: (id: number) => void) {
    this.#chosen = chosen;
    this.#body.addEventListener('click', ({ target }) => this.#choose(target));
    this.#body.addEventListener('keydown', (pressed) => {
      if (pressed.key === 'Enter' || pressed.key === ' ') this.#choose(pressed.target);
      else if (pressed.key === 'ArrowDown') this.#move(pressed.target, 'nextElementSibling');
      else if (pressed.key === 'ArrowUp') this.#move(pressed.target, 'previousElementSibling');
      else return;
      pressed.preventDefault();
    });
  }

  /** @param now the server's clock. */
  show({ rows, matching }: Listing, now: number, state: string | undefined): void {
    const focused = document.activeElement;
    const gone = new Set(this.#shown.keys());
    let place = this.#body.firstElementChild;
    for (const row of rows) {
      gone.delete(row.id);
      const shown = this.#shown.get(row.id) ?? this.#add(row.id);
      this.#fill(shown, row, now);
      if (shown.row === place) place = place.nextElementSibling;
      else this.#body.insertBefore(shown.row, place);
    }
    for (const id of gone) {
      const row = this.#shown.get(id)?.row;
      // Whoever was on a row that goes is on the next one.
      if (row !== undefined && row === focused)
        this.#go(row.nextElementSibling ?? row.previousElementSibling);
      row?.remove();
      this.#shown.delete(id);
    }
    if (this.#body.querySelector('tr[tabindex="0"]') === null) this.#stop(this.#body.firstElementChild);
    // A row that has moved has lost the focus.
    if (focused instanceof HTMLElement && focused !== document.activeElement && focused.isConnected) {
      focused.focus({ preventScroll: true });
    }
    byId('nobody').hidden = rows.length > 0;
    say(byId('nobody'), state === undefined ? 'Nobody is connected.' : `Nobody is in ${state}.`);
    say(byId('matching'), rows.length < matching ? `${rows.length} of ${long(matching)}` : long(matching));
  }

  /** Marks the row of the connection that is followed. */
  follow(id: number | undefined): void {
    this.#followed = id;
    for (const [each, { row }] of this.#shown) row.ariaCurrent = String(each === id);
  }

  /** Puts the focus on a row. */
  focus(id: number | undefined): void {
    const shown = id === undefined ? undefined : this.#shown.get(id);
    this.#go(shown?.row);
  }

  #add(id: number): Shown {
    const row = element('tr');
    row.tabIndex = -1;
    row.dataset['id'] = String(id);
    row.ariaCurrent = String(id === this.#followed);
    const cells = classes.map((name) => element('td', name));
    row.append(...cells);
    const shown = { row, cells };
    this.#shown.set(id, shown);
    return shown;
  }

  #fill(
    { row, cells }: Shown,
    { id, state, peer, since, received, refusals, error }: Row,
    now: number,
  ): void {
    const last = error === undefined ? '' : refusals > 1 ? `${error} (${long(refusals)} in all)` : error;
    [String(id), state, peer, age(now - since), long(received), last].forEach((text, nth) => {
      const cell = cells[nth];
      if (cell !== undefined) say(cell, text);
    });
    row.classList.toggle('refused', error !== undefined);
  }

  #choose(target: EventTarget | null): void {
    const id = rowOf(target)?.dataset['id'];
    if (id !== undefined) this.#chosen(Number(id));
  }

  #move(target: EventTarget | null, to: 'nextElementSibling' | 'previousElementSibling'): void {
    this.#go(rowOf(target)?.[to]);
  }

  #go(row: Element | null | undefined): void {
    if (!(row instanceof HTMLElement)) return;
    this.#stop(row);
    row.focus();
  }

  /** The list is one stop of the Tab key: this row. */
  #stop(row: Element | null): void {
    for (const other of this.#body.querySelectorAll<HTMLElement>('tr[tabindex="0"]')) other.tabIndex = -1;
    if (row instanceof HTMLElement) row.tabIndex = 0;
  }
}

function rowOf(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element ? target.closest('tr') : null;
}
