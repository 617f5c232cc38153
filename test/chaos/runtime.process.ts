import { type RuntimeOptions, startRuntime } from '../../lib/local/index.ts';

// The embedded runtime as `npm start` has it, in a process that can be killed. Its options come as JSON; it says where it is in one line.
const options = JSON.parse(process.argv[2] ?? '{}') as RuntimeOptions;
const runtime = await startRuntime({
  ...options,
  onLog: (source, line) => line.startsWith('{"level":"info"') || process.stderr.write(`[${source}] ${line}\n`),
});
process.once('SIGTERM', () => void runtime.stop().finally(() => process.exit()));
process.stdout.write(`READY ${JSON.stringify(runtime)}\n`);
