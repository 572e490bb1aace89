import { legalEvents, REFUSED, step } from '../../machine/table.ts';
import type { AnyProtocol } from '../../transport/protocol.ts';
import { type Exchange, inWords } from '../dialogue.ts';
import { bareName } from '../project.ts';

/**
 * The rule that an exchange broke, as a sentence, and the type of the message that was taken out of order, if one was.
 */
export function ruleOf(
  protocol: AnyProtocol,
  exchange: Exchange,
): { readonly rule: string; readonly taken: string | undefined } {
  const { input, state, expected, observed, agreement, why } = exchange;
  const { table } = protocol;
  const where = table.states[state] ?? '';
  const what =
    input.kind === 'end' ? 'the end of the stream' : input.kind === 'greeting' ? 'a connection' : input.id;
  const due = expected.output.replies.map(bareName).join(' ');
  const said = inWords(observed);
  const rule = (text: string, taken?: string) => ({ rule: text, taken });
  if (agreement === 'closing') {
    return rule(`After ${what} in ${where} the connection must be closed properly, and it was reset`);
  }
  if (expected.refuses) {
    const legal = legalEvents(table, state, 'client').map(bareName).join(' or ') || 'nothing';
    const only = `only ${legal} may come`;
    const [reply] = observed.messages;
    if (reply !== undefined && !expected.answers.includes(reply.type)) {
      const isAccepted = input.type === undefined || answersTo(protocol, input.type).has(reply.type);
      const how = isAccepted ? 'accepted' : `answered by ${bareName(reply.type)}`;
      return rule(`${what} was ${how} in ${where}; ${only}`, isAccepted ? input.type : undefined);
    }
    const must = [
      due === '' ? '' : `be refused by ${due}`,
      expected.output.closes ? 'end the connection' : '',
    ]
      .filter(Boolean)
      .join(' and ');
    if (said === 'silence') {
      return rule(
        `${what} was passed over in silence in ${where}; ${only}, and what else comes must ${must}`,
      );
    }
    return rule(`${what} must ${must} in ${where}, where ${only}; it was answered by ${said}`);
  }
  if (input.kind === 'greeting') {
    return rule(`The server speaks first, and must say ${due}; it said ${why || said}`);
  }
  if (input.kind === 'end' || input.kind === 'truncated') {
    return rule(
      `${input.kind === 'end' ? 'The end of the stream' : 'A frame that the end cuts short'} must be answered by the end alone in ${where}; it was answered by ${said}`,
    );
  }
  if (why) return rule(`${what} in ${where} must be answered by ${expected.output.name}: ${why}`);
  if (said === 'silence')
    return rule(`${what} must be answered by ${expected.output.name} in ${where}, and was not answered`);
  return rule(
    `${what} may come in ${where} and must be answered by ${expected.output.name}; it was answered by ${said}`,
  );
}

/** Types of what the machine lets a server say to a message, wherever that may come. */
function answersTo({ table }: AnyProtocol, type: string): ReadonlySet<string> {
  const event = table.events.indexOf(type);
  const judging = table.states.map((_, state) => step(table, state, event)).filter((to) => to !== REFUSED);
  return new Set(judging.flatMap((state) => legalEvents(table, state, 'server')));
}
