import { randomBytes } from 'node:crypto';
import type { Dialogue } from './dialogue.ts';

/** How long a token carries a login whose channel is gone, from its last call on, in milliseconds. */
const IDLE_TIMEOUT = 10 * 60_000;

/** A connection of gRPC, and the dialogue of the calls on it that bring no token. */
export interface Channel {
  readonly peer: string;
  readonly source: string;
  dialogue: Dialogue | undefined;
}

interface Login {
  readonly token: string;
  readonly dialogue: Dialogue;
  /** Its own channel stands. */
  isHeld: boolean;
  /** Calls that go on. */
  calls: number;
  timer: NodeJS.Timeout | undefined;
}

/** Dialogues that are logged in, by their tokens: each lasts as long as its channel, and a while longer while it is used. */
export class Logins {
  readonly #byToken = new Map<string, Login>();
  readonly #byDialogue = new Map<Dialogue, Login>();
  readonly #idleTimeout: number;

  constructor(idleTimeout = IDLE_TIMEOUT) {
    this.#idleTimeout = idleTimeout;
  }

  /** @returns the token that carries it. */
  add(dialogue: Dialogue): string {
    const known = this.#byDialogue.get(dialogue);
    if (known !== undefined) return known.token;
    const login: Login = {
      token: randomBytes(24).toString('base64url'),
      dialogue,
      isHeld: true,
      calls: 0,
      timer: undefined,
    };
    this.#byToken.set(login.token, login);
    this.#byDialogue.set(dialogue, login);
    return login.token;
  }

  find(token: string): Dialogue | undefined {
    return this.#byToken.get(token)?.dialogue;
  }

  /** The dialogue is over. */
  remove(dialogue: Dialogue): void {
    const login = this.#byDialogue.get(dialogue);
    if (login === undefined) return;
    clearTimeout(login.timer);
    this.#byToken.delete(login.token);
    this.#byDialogue.delete(dialogue);
  }

  /** Its channel is gone. Without an account, so is the dialogue. */
  release(dialogue: Dialogue): void {
    const login = this.#byDialogue.get(dialogue);
    if (login === undefined) return void dialogue.leave();
    login.isHeld = false;
    dialogue.replaceable = true;
    this.#rest(login);
  }

  /** A call goes on for as long as what it returns is not called. */
  use(dialogue: Dialogue): () => void {
    const login = this.#byDialogue.get(dialogue);
    if (login === undefined) return () => {};
    login.calls++;
    clearTimeout(login.timer);
    return () => {
      login.calls--;
      this.#rest(login);
    };
  }

  #rest(login: Login): void {
    clearTimeout(login.timer);
    if (login.isHeld || login.calls > 0 || login.dialogue.over) return;
    // An account that was deleted leaves nothing to come back to.
    if (login.dialogue.account === undefined) login.dialogue.leave();
    else login.timer = setTimeout(() => login.dialogue.leave(), this.#idleTimeout).unref();
  }
}
