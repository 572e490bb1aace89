// MESSAGE_LOG=logs.example:5555 npx vitest run
import { test } from 'vitest';
import { messageLog } from 'wirechart/message-log';
import { conformanceSuite } from 'wirechart/verify';

const [host = '127.0.0.1', port = '5555'] = process.env['MESSAGE_LOG']?.split(':') ?? [];

// k = 1: every fault of a server whose hidden states lie within one frame of a declared one.
for (const { name, run } of conformanceSuite(messageLog, { host, port: Number(port), k: 1 })) test(name, run);
