import { mealyOf } from '../../../src/verify/mealy.ts';

/** In which state each input is accepted, and what follows; anything else is refused and the connection closed. */
const accepted: Record<string, string> = { 'N NAME': 'P', 'P PASSWORD': 'M', 'M MESSAGE': 'M' };

const refused = ['NAME:empty', 'PASSWORD:no', 'MESSAGE:empty', 'unknown'];

/** docs/protocols/message-log.md as a tester sees it: strict, so that nearly everything closes. */
export const messageLog = mealyOf({
  inputs: ['NAME', 'PASSWORD', 'MESSAGE', 'CLOSE', ...refused, 'truncated', 'end'],
  initial: 'N',
  closed: ['X'],
  step: (state, input) => {
    if (input === 'CLOSE') return ['00, closes', 'X'];
    if (input === 'end' || input === 'truncated') return ['closes', 'X'];
    const next = accepted[`${state} ${input}`];
    return next ? ['00', next] : ['ff, closes', 'X'];
  },
});

/** The same protocol, had it been lenient: what is refused changes nothing, so every input goes on. */
export const lenientLog = mealyOf({
  inputs: messageLog.inputs,
  initial: 'N',
  closed: ['X'],
  step: (state, input) => {
    if (input === 'CLOSE') return ['00, closes', 'X'];
    if (input === 'end' || input === 'truncated') return ['closes', 'X'];
    const next = accepted[`${state} ${input}`];
    return next ? ['00', next] : ['ff', state];
  },
});
