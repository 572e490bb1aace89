import { Connections } from './connections.ts';
import { byId, save, say } from './dom.ts';
import { long, short } from './format.ts';
import type { Live, LiveMessages } from './message.ts';
import { Picture } from './picture.ts';
import { showRefusal } from './refusals.ts';
import { Steps } from './steps.ts';

/** Samples from which the flow is taken. */
const WINDOW = 11;

const order = byId('order', HTMLSelectElement);
const find = byId('find', HTMLInputElement);
const everywhere = byId('everywhere');
const picture = new Picture((state) => list(state));
const steps = new Steps((within) => picture.mark(within));
const connections = new Connections((id) => follow(id));

let source: EventSource | undefined;
/** The top-level state whose connections are listed; all when there is none. */
let listed: string | undefined;
let followed: number | undefined;
/** The server's clock: now, and when we began to look. */
let now = 0;
let looking = 0;
let started: number | undefined;
/** Number of the last refusal that is shown. */
let refusal = 0;
let samples: { readonly now: number; readonly messages: number }[] = [];

/** Asks the server for everything, anew whenever something else is to be listed. */
function connect(): void {
  source?.close();
  const query = new URLSearchParams({
    order: order.value,
    find: find.value.trim(),
    ...(listed !== undefined && { state: listed }),
  });
  const opened = new EventSource(`/live?${query}`);
  source = opened;
  const on = <N extends keyof LiveMessages>(name: N, take: (message: LiveMessages[N]) => void): void => {
    opened.addEventListener(name, ({ data }) => take(JSON.parse(data)));
  };
  on('hello', (hello) => {
    // A server that was started anew counts from the beginning, and may be another version with another page.
    if (started !== undefined && started !== hello.started) location.reload();
    started = hello.started;
    picture.begin(hello);
    showLink('live');
  });
  on('live', (live) => {
    now = live.now;
    looking ||= now;
    picture.show(live);
    showFigures(live);
  });
  on('list', (listing) => connections.show(listing, now, listed));
  on('refusals', (notes) => {
    const fresh = notes.filter(({ number }) => number > refusal);
    for (const note of fresh) {
      showRefusal(note);
      // What happened before we looked is told, and does not flash.
      if (note.at > looking) picture.refuse(note);
    }
    refusal = fresh.at(-1)?.number ?? refusal;
  });
  opened.addEventListener('error', () => showLink('waiting'));
}

function showLink(state: 'live' | 'waiting'): void {
  const link = byId('link');
  link.className = state;
  say(link, state === 'live' ? 'live' : 'the server does not answer; trying again');
}

function showFigures(live: Live): void {
  samples = [...samples.slice(1 - WINDOW), live];
  const [oldest = live] = samples;
  const seconds = Math.max(0.1, (live.now - oldest.now) / 1000);
  say(byId('connections'), long(live.connections));
  say(byId('rate'), short((live.messages - oldest.messages) / seconds));
  say(byId('messages'), live.messages < 1e6 ? long(live.messages) : short(live.messages));
  say(byId('refused'), long(live.refusals));
  byId('refused').parentElement?.classList.toggle('some', live.refusals > 0);
}

/** Lists the connections in one state; in all of them when it is chosen again. */
function list(state: string | undefined): void {
  listed = state === listed ? undefined : state;
  everywhere.hidden = listed === undefined;
  say(everywhere, `in ${listed} ×`);
  everywhere.setAttribute('aria-label', `only in ${listed}; show all`);
  picture.choose(listed);
  connect();
}

function follow(id: number | undefined): void {
  const last = followed;
  followed = id;
  connections.follow(id);
  if (id !== undefined) steps.follow(id);
  else {
    steps.close();
    connections.focus(last);
  }
}

order.addEventListener('change', connect);
find.addEventListener('change', connect);
find.addEventListener('search', connect);
byId('picture').addEventListener('click', () =>
  save(`${document.title}.svg`, 'image/svg+xml', picture.source()),
);
everywhere.addEventListener('click', () => list(undefined));
byId('unfollow').addEventListener('click', () => follow(undefined));
document.addEventListener('keydown', ({ key }) => {
  if (key !== 'Escape') return;
  if (followed !== undefined) follow(undefined);
  else if (listed !== undefined) list(undefined);
});
connect();
