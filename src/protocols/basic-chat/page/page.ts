import { LONGEST_STRING } from '../protocol.ts';
import { cleanMessage, SERVER_NAME } from '../words.ts';
import { Guest } from './guest.ts';

/** Lines that stay; the oldest go. */
const MOST_LINES = 500;
/** Whoever reads the end of the list goes on reading it there, so many pixels aside. */
const NEAR_THE_END = 40;

const joining = byId('joining', HTMLFormElement);
const username = byId('username', HTMLInputElement);
const room = byId('room', HTMLElement);
const lines = byId('lines', HTMLElement);
const saying = byId('saying', HTMLFormElement);
const message = byId('message', HTMLInputElement);
const status = byId('status', HTMLElement);

let guest: Guest | undefined;
let name = '';

joining.addEventListener('submit', (event) => {
  event.preventDefault();
  name = username.value;
  if (guest !== undefined) return;
  tell('Joining…');
  guest = new Guest(location.origin.replace(/^http/, 'ws'), name, { joined, heard, said, left });
});

saying.addEventListener('submit', (event) => {
  event.preventDefault();
  const cleaned = cleanMessage(message.value);
  if (message.value === '') return;
  if (cleaned === '') return tell('Not sent: a message is printable ASCII.');
  if (guest?.say(cleaned) !== true)
    return tell('Not sent: the server has yet to answer what you said before.');
  tell(cleaned === message.value ? '' : 'Sent without the characters that are not printable ASCII.');
  message.value = '';
});

byId('leave', HTMLElement).addEventListener('click', () => guest?.leave());
addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') guest?.leave();
});
message.maxLength = LONGEST_STRING;
username.maxLength = LONGEST_STRING;
username.focus();

function joined(): void {
  joining.hidden = true;
  room.hidden = false;
  saying.hidden = false;
  tell('');
  document.title = `${name} · basic-chat`;
  message.focus();
}

function heard(from: string, text: string): void {
  add(from, text, from === SERVER_NAME ? 'server' : 'other');
}

function said(text: string, refusal: string | undefined): void {
  if (refusal === undefined) add(name, text, 'own');
  else tell(`Not sent: ${refusal}`);
}

function left(why: string): void {
  guest = undefined;
  // What was said can still be read.
  room.hidden = lines.childElementCount === 0;
  saying.hidden = true;
  joining.hidden = false;
  tell(why);
  username.focus();
}

/** Never as HTML: a message is anybody's. */
function add(from: string, text: string, kind: 'server' | 'own' | 'other'): void {
  const isAtEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < NEAR_THE_END;
  const line = document.createElement('p');
  line.className = kind;
  const who = document.createElement('b');
  who.textContent = kind === 'own' ? `${from} (you)` : from;
  const what = document.createElement('span');
  what.textContent = text;
  line.append(who, ' ', what);
  lines.append(line);
  while (lines.childElementCount > MOST_LINES) lines.firstElementChild?.remove();
  if (isAtEnd || kind === 'own') lines.scrollTop = lines.scrollHeight;
}

function tell(text: string): void {
  status.textContent = text;
}

/** The page and its script are made for each other: an element that is missing is a bug. */
function byId<T extends HTMLElement>(id: string, type: abstract new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${type.name} #${id}`);
}
