import type { ServerObserver } from './tcp.ts';

/** One observer that tells several. What none of them asks for is not asked for: `transaction` is not free. */
export function observedBy(observers: readonly ServerObserver[]): ServerObserver {
  const [only] = observers;
  if (only !== undefined && observers.length === 1) return only;
  const joined: ServerObserver = {
    opened: (...about) => observers.forEach((each) => void each.opened?.(...about)),
    refused: (...about) => observers.forEach((each) => void each.refused?.(...about)),
    failed: (...about) => observers.forEach((each) => void each.failed?.(...about)),
    ended: (...about) => observers.forEach((each) => void each.ended?.(...about)),
    dropped: () => observers.forEach((each) => void each.dropped?.()),
    acceptFailed: (...about) => observers.forEach((each) => void each.acceptFailed?.(...about)),
  };
  const asking = observers.filter((each) => each.transaction !== undefined);
  if (asking.length === 0) return joined;
  return {
    ...joined,
    transaction: (...about) => asking.forEach((each) => void each.transaction?.(...about)),
  };
}
