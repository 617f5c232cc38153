import { parentPort, workerData } from 'node:worker_threads';
import type { Call, ContainerData } from './container.messages.ts';
import { openContainer } from './container.serving.ts';

/** One Lambda container as a thread. */
if (parentPort === null) throw new Error('this container runs as a worker');
const port = parentPort;

const serve = await openContainer(workerData as ContainerData, (answer) => port.postMessage(answer));
port.on('message', (call: Call) => serve(call));
