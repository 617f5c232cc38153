import { parentPort, workerData } from 'node:worker_threads';
import { buildApp } from 'fauxqs';

// In a thread of its own: a crowd's events must not wait behind a crowd's requests, nor the other way round.
const app = buildApp({ logger: false, defaultRegion: (workerData as { region: string }).region });
parentPort?.postMessage(await app.listen({ host: '127.0.0.1', port: 0 }));
