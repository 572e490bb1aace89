import { svgOf } from '../../src/diagram/svg.ts';
import { configOf } from '../../src/diagram/xstate.ts';
import { Dialogue, type Line } from './dialogue.ts';
import { type Played, protocols } from './protocols.ts';
import { suiteSizes, variantOf } from './variant.ts';

const at = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;
const picker = at<HTMLSelectElement>('protocol');
const config = at<HTMLTextAreaElement>('config');
const full = at<HTMLInputElement>('full');
const typed = at<HTMLInputElement>('bytes');

const [first] = protocols;
if (first === undefined) throw new TypeError('there is nothing to play with');
let played: Played = first;
let protocol = played.protocol;
let dialogue = new Dialogue(protocol);
let drawing = 0;

function element(name: string, text: string, classes = ''): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = classes;
  return made;
}

function button(text: string, classes: string, pressed: () => void): HTMLElement {
  const made = element('button', text, classes);
  made.addEventListener('click', () => {
    pressed();
    show();
    // The button has been made anew: who uses the keyboard stays where they were.
    const again = [...document.querySelectorAll<HTMLButtonElement>('.says button')];
    again.find(({ textContent }) => textContent === text)?.focus();
  });
  return made;
}

const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
const shortened = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}...` : text);

/** What the sample says is answered, where the machine leaves that to the handler. */
function answerTo(id: string): string | undefined {
  const { answer } = protocol.samples('ann').messages[id] ?? {};
  const one = Array.isArray(answer) ? answer[0] : answer;
  if (typeof one === 'string') return one;
  return typeof one === 'object' && one !== null && 'type' in one ? String(one.type) : undefined;
}

function say(type: string): void {
  dialogue.answer({ type, ...played.words[type] });
  dialogue.read();
}

function send(id: string): void {
  const sample = protocol.samples('ann').messages[id];
  if (sample === undefined) return;
  const read = dialogue.receive(protocol.encode(sample.message as never).bytes, sample.message.type);
  const answer = answerTo(id);
  if (!at<HTMLInputElement>('by-itself').checked || read.length === 0 || answer === undefined) return;
  if (dialogue.owes && dialogue.legal('server').includes(answer)) say(answer);
}

function show(): void {
  const { over } = dialogue;
  const legal = { client: dialogue.legal('client'), server: dialogue.legal('server') };
  const samples = Object.entries(protocol.samples('ann').messages);
  at('client').replaceChildren(
    ...samples.map(([id, { message }]) => {
      const right = legal.client.includes(message.type);
      const made = button(id, right ? 'legal' : dialogue.owes ? 'waits' : 'illegal', () => send(id));
      made.title = right
        ? 'legal now'
        : dialogue.owes
          ? 'waits until the server has answered'
          : 'illegal now';
      return made;
    }),
    button('end of stream', 'waits', () => dialogue.end()),
  );
  const owed = Object.keys(protocol.frames).filter((type) => legal.server.includes(type));
  at('server').replaceChildren(
    ...owed.map((type) => button(type.slice('server.'.length), 'legal', () => say(type))),
  );
  if (owed.length === 0)
    at('server').append(element('p', over ? 'Nothing more.' : 'It is not its turn.', 'quiet'));
  for (const made of document.querySelectorAll<HTMLButtonElement>('.says button')) made.disabled = over;
  at<HTMLButtonElement>('send').disabled = over;
  at('stands').textContent = dialogue.state;
  at('turn').textContent = over
    ? 'is where it ended'
    : dialogue.owes
      ? 'the server owes an answer'
      : 'the client may speak';
  at('lines').replaceChildren(...dialogue.lines.map(line));
  at('lines').lastElementChild?.scrollIntoView({ block: 'nearest' });
  mark();
}

function line({ from, text, bytes, state }: Line): HTMLElement {
  const made = element('li', '', from);
  made.append(element('span', text));
  if (bytes.length > 0) made.append(element('code', shortened(hex(bytes))));
  made.append(element('small', state));
  return made;
}

/** The chart's states that are active, and the one in which somebody was refused. */
function mark(): void {
  const refusedIn = dialogue.error?.state;
  const places = dialogue.state.split('|').map((place) => place.trim());
  for (const state of document.querySelectorAll<SVGGElement>('#chart .state')) {
    const id = state.dataset['state'] ?? '';
    const within = places.some((place) => place === id || place.startsWith(`${id}.`));
    state.classList.toggle('active', within && dialogue.error === undefined);
    state.classList.toggle('failed', refusedIn === id || refusedIn?.startsWith(`${id}.`) === true);
  }
}

async function draw(): Promise<void> {
  const own = ++drawing;
  const detail = full.checked ? 'full' : 'overview';
  const direction = full.checked || innerWidth < 800 ? 'down' : 'right';
  const svg = await svgOf(protocol.machine, { detail, direction });
  if (own !== drawing) return;
  at('chart').innerHTML = svg;
  mark();
}

function tell(): void {
  const { table } = protocol;
  const cell = (name: string, text: string, classes = '') => element(name, text, classes);
  const messages = table.events.map((event, number) => ({ event, number }));
  const head = element('tr', '');
  head.append(cell('th', ''), ...messages.map(({ event }) => cell('th', event.replace('.', '.\u200b'))));
  const rows = table.states.map((name, state) => {
    const row = element('tr', '');
    const to = ({ number }: { number: number }) => {
      const next = table.next[state * table.events.length + number] ?? -1;
      return next < 0 ? cell('td', '·', 'quiet') : cell('td', table.states[next] ?? '');
    };
    row.append(cell('th', name), ...messages.map(to));
    return row;
  });
  at('table').replaceChildren(head, ...rows);
  let suite: string;
  try {
    const sizes = suiteSizes(protocol, [0, 1, 2]);
    suite = sizes.map((size, k) => `${size.toLocaleString('en')} connections at k = ${k}`).join(', ');
  } catch (error) {
    suite = `no suite: ${error instanceof Error ? error.message : error}`;
  }
  at('facts').textContent =
    `${table.states.length} states, ${table.events.length} events. A complete suite: ${suite}.`;
}

function play(next: typeof protocol): void {
  protocol = next;
  dialogue = new Dialogue(protocol);
  tell();
  show();
  void draw();
}

function choose(): void {
  played = protocols.find(({ protocol: { name } }) => name === picker.value) ?? played;
  config.value = JSON.stringify(configOf(played.protocol.machine), null, 2);
  at('wrong').textContent = '';
  play(played.protocol);
}

// Whoever has no mouse scrolls what scrolls by its focus.
for (const id of ['wide', 'lines', 'chart']) at(id).tabIndex = 0;
picker.append(...protocols.map(({ protocol: { name } }) => new Option(name)));
picker.addEventListener('change', choose);
full.addEventListener('change', () => void draw());
at('again').addEventListener('click', () => play(protocol));
at('reset').addEventListener('click', choose);
at('send-bytes').addEventListener('submit', (submitted) => {
  submitted.preventDefault();
  const written = typed.value.trim();
  const bytes = /^([0-9a-f]{2}\s*)+$/i.test(written)
    ? Uint8Array.from(written.match(/[0-9a-f]{2}/gi) ?? [], (pair) => Number.parseInt(pair, 16))
    : new TextEncoder().encode(written);
  if (bytes.length > 0) dialogue.receive(bytes, 'bytes');
  show();
});
let settled: ReturnType<typeof setTimeout> | undefined;
config.addEventListener('input', () => {
  clearTimeout(settled);
  settled = setTimeout(() => {
    try {
      play(variantOf(played.protocol, config.value));
      at('wrong').textContent = '';
    } catch (error) {
      at('wrong').textContent = error instanceof Error ? error.message : String(error);
    }
  }, 300);
});
choose();
