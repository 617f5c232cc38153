// What a fresh process measures of itself: plain JavaScript, with next to nothing imported, so that nothing but the bundle takes time.
// node probe.mjs BUNDLE [EVENT]: loads the bundle, and with an event makes its first request. Times in milliseconds since the process began.
import { flushCompileCache } from 'node:module';
import { pathToFileURL } from 'node:url';

const [bundle, event] = process.argv.slice(2);
const beganMs = performance.now();
// As Lambda's own runtime does, of whatever kind the module is:
// https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/blob/main/src/function/module-loader.ts
const { handler } = await import(pathToFileURL(bundle).href);
const loadedMs = performance.now();
const context = { functionName: 'bench', awsRequestId: 'bench', getRemainingTimeInMillis: () => 15_000 };
const result = event === undefined ? undefined : await handler(JSON.parse(event), context);
const answeredMs = performance.now();
const { user, system } = process.cpuUsage();
// Where there is a cache, it is what the next process finds.
flushCompileCache();
const told = JSON.stringify({
  beganMs,
  loadedMs,
  answeredMs,
  cpuMs: (user + system) / 1_000,
  status: result?.statusCode,
  body: result?.body,
});
process.stdout.write(told, () => process.exit());
