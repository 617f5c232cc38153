import { BroadcastChannel } from 'node:worker_threads';
import { threadProfiler } from './profiler.ts';

// Loaded into each container of the function that places orders, before its code: a profiler that the process' main thread turns on and off.

const commands = new BroadcastChannel('bench.profile.commands');
const profiles = new BroadcastChannel('bench.profile.profiles');
commands.unref();
profiles.unref();
const profiler = threadProfiler();
// A container that starts meanwhile is none of those that were asked to begin.
let isOn = false;
commands.onmessage = async ({ data }: { data: unknown }) => {
  if (data === 'start') {
    await profiler.start();
    isOn = true;
  } else if (isOn) {
    isOn = false;
    profiles.postMessage(await profiler.stop());
  }
};
