/** A count in at most five characters: `999`, `1.2k`, `41k`, `3.4M`. */
export function short(count: number): string {
  if (count < 9.95) return String(Math.round(count * 10) / 10);
  if (count < 999.5) return String(Math.round(count));
  const [value, unit] = count < 999_500 ? [count / 1e3, 'k'] : [count / 1e6, 'M'];
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)}${unit}`;
}

/** A count with its thousands apart. */
export function long(count: number): string {
  return count.toLocaleString('en');
}

/** A span of milliseconds: `7 s`, `3 min`, `5 h`, `2 d`. */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** The time of day, to the millisecond. */
export function time(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${day}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
