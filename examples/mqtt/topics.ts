import { matches, such, text } from 'wirechart/fields';

/** `+` is a whole level, `#` the whole last one [MQTT-4.7.1-2, 3]. */
const FILTER = /^(?=.)(?:(?:[^\0+#/]*|\+)\/)*(?:[^\0+#/]*|\+|#)$/s;

export const string = such(text('u16be'), matches(/^[^\0]*$/, 'has no U+0000 [MQTT-1.5.3-2]'), 'a');
export const topic = such(text('u16be'), matches(/^[^\0+#]+$/, 'names a topic [MQTT-3.3.2-2]'), 'a/b');
export const filter = such(text('u16be'), matches(FILTER, 'is a filter of topics [MQTT-4.7.1]'), 'a/+');

/** Whether a filter takes a topic: `+` is any one level, `#` all the rest and the level before it. */
export function takes(filter: string, topic: string): boolean {
  // Topics such as $SYS are for those who ask for them by name [MQTT-4.7.2-1].
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false;
  const levels = topic.split('/');
  const asked = filter.split('/');
  for (const [place, level] of asked.entries()) {
    if (level === '#') return true;
    if (place >= levels.length || (level !== '+' && level !== levels[place])) return false;
  }
  return asked.length === levels.length;
}
