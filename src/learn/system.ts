/** What came back on one input. Two answers with one `output` are the same answer. */
export interface Answer {
  /** In words: `ACCEPT`, `silence`. */
  readonly output: string;
  /** The other side was *seen* to close behind it. Nothing is ever concluded from what an output is called. */
  readonly closes: boolean;
}

/** An answer that was heard before. */
export interface Known {
  readonly output: string;
  readonly sure: boolean;
}

/** One dialogue with a system, from its beginning. */
export interface SystemDialogue {
  /**
   * Sends an input and hears the answer out. Never called behind an answer that closes.
   *
   * @param known what the same words were answered by before: if it is sure, nobody need wait for more than that; if not,
   *   this is to find out, and the answer is heard out.
   */
  send(input: string, known?: Known): Answer | Promise<Answer>;
  /** Nothing more will be sent. */
  end?(): void | Promise<void>;
}

/** Anything that can be begun anew and answers what it is sent. */
export interface System {
  /** How many dialogues it can hold at once. Default: 1. */
  readonly atOnce?: number;
  /** Begins a dialogue; whatever was said before does not matter in it. */
  connect(): SystemDialogue | Promise<SystemDialogue>;
}
