import type { Role } from '../machine/gate.ts';
import type { Table } from '../machine/table.ts';
import { Decoder, type Entry, type Framing } from './decoder.ts';
import { DeclarationError } from './errors.ts';

/**
 * Of each state, the decoder of what `role` may send there: the frames that the state or one around it names; where none
 * does, those that no state names. States with the same frames share a decoder.
 *
 * @throws DeclarationError for frames that are readable together and cannot be told apart, or a name that is not known.
 */
export function decodersOf(
  role: Role,
  { states, nodes }: Table,
  entries: readonly Entry[],
  reads: Readonly<Record<string, readonly string[]>>,
): readonly Framing[] {
  const all = entries.filter(({ type }) => type.startsWith(`${role}.`));
  for (const [path, types] of Object.entries(reads)) {
    if (!nodes.some((active) => active.includes(path)))
      throw new DeclarationError(`reads: there is no state ${path}`);
    const unknown = types.find((type) => !entries.some((entry) => entry.type === type));
    if (unknown !== undefined)
      throw new DeclarationError(`reads: ${path} reads ${unknown}, which has no frame`);
  }
  const claimed = new Set(Object.values(reads).flat());
  const rest = all.filter(({ type }) => !claimed.has(type));
  const known = new Map<string, Framing>();
  return states.map((_, state) => {
    // The innermost that names any of this sender decides.
    const named = nodes[state]
      ?.map((path) => reads[path]?.filter((type) => type.startsWith(`${role}.`)) ?? [])
      .findLast((types) => types.length > 0);
    const readable = named === undefined ? rest : all.filter(({ type }) => named.includes(type));
    const key = String(readable.map(({ type }) => type));
    const decoder = known.get(key) ?? readable[0]?.frame.whole?.decoder(readable) ?? new Decoder(readable);
    known.set(key, decoder);
    return decoder;
  });
}
