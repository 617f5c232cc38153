import type { Answer, Call, ContainerData } from './container.messages.ts';
import { openContainer } from './container.serving.ts';

/** One Lambda container as a process: the first message says what it hosts, each further one is a call. */
if (!process.send) throw new Error('this container runs as a child process');
const post = (answer: Answer) => process.send?.(answer);

// A terminal gives its signals to all that it runs; when this process ends is its parent's to say, also by its own end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.once('disconnect', () => process.exit());

let opened: Promise<(call: Call) => void> | undefined;
process.on('message', (message: ContainerData | Call) => {
  // What could not be loaded ends the process, by the rejection that nobody handles, and its reason is on stderr.
  if ('bundle' in message) opened = openContainer(message, post);
  else void opened?.then((serve) => serve(message));
});
