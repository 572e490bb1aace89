import { inLines } from '../../../src/transport/messages/index.ts';
import { standardStreams } from '../../../src/transport/socket/program.ts';
import { Server } from '../../../src/transport/socket/server.ts';
import { declare } from './quiz.ts';
import { quizHandlers } from './quiz-handlers.ts';

new Server(declare(inLines), quizHandlers).accept(standardStreams(), { peer: 'stdio' });
