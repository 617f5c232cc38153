import { defaultEndpoint, expectEmulator, NoEmulator } from '../lib/localstack/endpoint.ts';
import { type EmulatorGateway, startEmulatorGateway } from '../lib/localstack/gateway.ts';

// `npm run localstack:gateway`: the API of the functions that are deployed into an emulator, until Ctrl-C.

const endpoint = process.env.AWS_ENDPOINT_URL || defaultEndpoint;
const port = Number(process.env.PORT || '4000');
const start = new AbortController();
let gateway: Promise<EmulatorGateway> | undefined;

async function stop(): Promise<never> {
  start.abort();
  await (await gateway?.catch(() => undefined))?.stop();
  process.exit(0);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void stop());

try {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new NoEmulator('PORT must be a port from 0 (picks a free one) to 65535.');
  await expectEmulator(endpoint);
  gateway = startEmulatorGateway({ port, endpoint, signal: start.signal, onLog: (line) => console.error(line) });
  const { url } = await gateway;
  console.log(`Stampede in the emulator at ${endpoint} is ready: ${url}`);
  console.log(`Tokens: curl -s ${url}/local/token -d '{"sub":"ada","scope":"sale:buy"}'. The API as a page: ${url}/docs`);
} catch (error) {
  if (!start.signal.aborted) {
    console.error(error instanceof NoEmulator ? error.message : error);
    process.exit(1);
  }
}
