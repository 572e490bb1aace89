/**
 * Messages that somebody else has framed: JSON texts over a WebSocket, or in a stream of bytes that keeps them apart.
 *
 * @packageDocumentation
 */
export { otherwise } from '../frame.ts';
export { type Envelope, type Extent, inHeaders, inLines, inWebSocket } from './envelope.ts';
export { closing, type JsonOptions, json } from './json.ts';
export { type Constant, type Element, element, none, type Pattern, some } from './pattern.ts';
export type { StandardSchema } from './schema.ts';
