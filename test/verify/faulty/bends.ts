/** The ways in which the right behaviour is bent into a fault. */
import {
  accept,
  type Behaviour,
  type Dialogue,
  type Fault,
  ignore,
  MESSAGE,
  refuse,
  type State,
  type Verdict,
} from './reference.ts';

type When = (code: number, at: Dialogue, payload: Buffer) => boolean;

export const isAt =
  (state: State, code: number) =>
  (given: number, at: Dialogue): boolean =>
    at.state === state && given === code;

export const isEmptyAt =
  (state: State): When =>
  (_code, at, payload) =>
    at.state === state && payload.length === 0;

/** How many messages this dialogue has sent so far. */
export const messages = (at: Dialogue): number => at.past.filter(({ code }) => code === MESSAGE).length;

/** One property of the behaviour is another. */
export const bent =
  (part: Partial<Behaviour>): Fault =>
  (right) => ({ ...right, ...part });

/** A frame that the order forbids is awaited whole, and then judged by `verdict`. */
export const onFrame =
  (when: (code: number, at: Dialogue) => boolean, verdict: Verdict): Fault =>
  (right) => ({
    ...right,
    judgeCode: (code, at) => (when(code, at) ? undefined : right.judgeCode(code, at)),
    judgeFrame: (code, payload, at) =>
      when(code, at) && payload.length > 0 ? verdict : right.judgeFrame(code, payload, at),
  });

/** In `state` a frame that the order forbids is accepted, and leads to `next`. */
export const take = (state: State, code: number, next: State): Fault =>
  onFrame((given, at) => at.state === state && given === code, accept(next));

/** Another verdict on a frame that the order allows: its content is judged otherwise. */
export const onContent =
  (when: When, verdict: Verdict | ((at: Dialogue) => Verdict)): Fault =>
  (right) => ({
    ...right,
    judgeFrame(code, payload, at) {
      if (!when(code, at, payload)) return right.judgeFrame(code, payload, at);
      return typeof verdict === 'function' ? verdict(at) : verdict;
    },
  });

/** Another verdict at the first byte. */
export const onCode =
  (
    when: (code: number, at: Dialogue, correct: Verdict | undefined) => boolean,
    verdict: Verdict | ((at: Dialogue) => Verdict),
  ): Fault =>
  (right) => ({
    ...right,
    judgeCode(code, at) {
      const correct = right.judgeCode(code, at);
      if (!when(code, at, correct)) return correct;
      return typeof verdict === 'function' ? verdict(at) : verdict;
    },
  });

/** Every refusal, by code or by content, becomes something else. */
export const onRefusal =
  (instead: Verdict | ((at: Dialogue) => Verdict)): Fault =>
  (right) => {
    const bend = (verdict: Verdict, at: Dialogue): Verdict => {
      if (verdict !== refuse) return verdict;
      return typeof instead === 'function' ? instead(at) : instead;
    };
    return {
      ...right,
      judgeCode(code, at) {
        const correct = right.judgeCode(code, at);
        return correct && bend(correct, at);
      },
      judgeFrame: (code, payload, at) => bend(right.judgeFrame(code, payload, at), at),
    };
  };

/** A verdict that belongs to the first byte waits for the whole frame. */
export const awaitsFrame =
  (when: (code: number, correct: Verdict | undefined) => boolean): Fault =>
  (right) => ({
    ...right,
    judgeCode(code, at) {
      const correct = right.judgeCode(code, at);
      return when(code, correct) ? undefined : correct;
    },
  });

export const isIllegal = (_code: number, _at: Dialogue, correct: Verdict | undefined): boolean =>
  correct === refuse;

/** These bytes, and nothing changes. */
export const stay =
  (replies: number[]) =>
  (at: Dialogue): Verdict => ({ ...ignore(at), replies });
/** These bytes, then deaf but open. */
export const hang = (replies: number[]): Verdict => ({ replies, next: 'X', after: 'hang' });
export const reset: Verdict = { replies: [], next: 'X', after: 'reset' };
