/**
 * In the place of frame-code.ts where a bundler builds for browsers (`browser` in package.json): there every byte is
 * loaded, and the closures of the fields mean the same.
 */
export const codeOf = () => ({ read: (): undefined => {}, size: () => -1, write: () => 0 });
