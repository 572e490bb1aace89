#!/usr/bin/env node
import { main } from './cli/main.ts';

// `npm start -- 6000` is `wirechart serve message-log 6000`.
await main(['serve', 'message-log', ...process.argv.slice(2)]);
