/** What samples and inputs take of Node's Buffer. */
export const Buffer = {
  allocUnsafe: (size: number) => new Uint8Array(size),
  concat(parts: readonly Uint8Array[]) {
    const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  },
  from: (text: string | readonly number[]) =>
    typeof text === 'string'
      ? Uint8Array.from(text, (letter) => letter.charCodeAt(0))
      : Uint8Array.from(text),
};
