/**
 * What a module declares to be taken by the command line, as `wirechart serve | verify | diagram MODULE`; and what
 * commands of one's own are made with.
 *
 * @packageDocumentation
 */

export { openDoor } from '../transport/socket/door.ts';
export { type Address, address, count, fileMode, formatAddress, port, seconds } from './arguments.ts';
export { type AnyCommand, type CommandDeclaration, defineCommand } from './command.ts';
export { EXIT, Failure } from './failure.ts';
export { checkWritable, NEW_FILE } from './files.ts';
export {
  choice,
  type Flag,
  type FlagDetails,
  type Flags,
  type OptionsOf,
  rest,
  toggle,
  value,
} from './flag.ts';
export {
  type AnyServe,
  type AnyService,
  type AnySharedService,
  defineModule,
  type Host,
  type HostMetrics,
  type LoadCommand,
  type ModuleDeclaration,
  type ProtocolModule,
  type ServeDeclaration,
  type Service,
  type SharedService,
  type Upkeep,
} from './module.ts';
export { printable } from './printable.ts';
export { reached, reachingFlags, serverAddress, tlsOf } from './reaching.ts';
export { type Style, Terminal, type TerminalOptions, type Words } from './terminal.ts';
