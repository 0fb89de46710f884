import { parentPort, workerData } from 'node:worker_threads';
import type { PicoReply, PicoRequest, PicoSetup } from './rp2040-messages.js';
import { PicoThread } from './rp2040-thread.js';

const port = parentPort!;
await PicoThread.run(
  workerData as PicoSetup,
  (message: PicoReply) => port.postMessage(message),
  (listener: (request: PicoRequest) => void) => port.on('message', listener),
);
