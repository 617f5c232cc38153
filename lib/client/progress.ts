import { Presets, SingleBar } from 'cli-progress';
import type { Onlooker } from './crowd.ts';

const lineEveryMs = 1_000;

interface Stage {
  readonly name: string;
  readonly total: number;
  done: number;
  readonly counters: Map<string, number>;
}

const countersOf = (stage: Stage): string => [...stage.counters].map(([name, count]) => `${name} ${count}`).join('  ');

/** Shows where a run is: a bar on a terminal, otherwise a line per second at most. `end` must be called, or a bar keeps the process alive. */
export interface Progress extends Onlooker {
  end(): void;
}

function barProgress(stream: NodeJS.WritableStream): Progress {
  let bar: SingleBar | undefined;
  let stage: Stage | undefined;
  const end = () => {
    if (bar && stage) bar.update(stage.done, { counters: countersOf(stage) });
    bar?.stop();
    bar = undefined;
  };
  return {
    stage(name, total) {
      end();
      stage = { name, total, done: 0, counters: new Map() };
      const format = `${name.padEnd(9)} {bar} {value}/{total}  {duration_formatted}  {counters}`;
      bar = new SingleBar({ format, stream, hideCursor: true, fps: 10, barsize: 28, linewrap: false }, Presets.shades_classic);
      bar.start(total, 0, { counters: '' });
    },
    step(counter) {
      if (!stage || !bar) return;
      stage.done++;
      if (counter !== undefined) stage.counters.set(counter, (stage.counters.get(counter) ?? 0) + 1);
      // The text is made ten times a second at most, by whoever draws; only the number is set for each step.
      if (counter !== undefined && stage.done % 50 === 0) bar.update(stage.done, { counters: countersOf(stage) });
      else bar.update(stage.done);
    },
    end,
  };
}

function lineProgress(stream: NodeJS.WritableStream, nowMs: () => number): Progress {
  let stage: Stage | undefined;
  let shownMs = nowMs();
  let shownDone = -1;
  const show = () => {
    if (!stage || stage.done === shownDone) return;
    shownMs = nowMs();
    shownDone = stage.done;
    stream.write(`${stage.name.padEnd(9)} ${stage.done}/${stage.total}  ${countersOf(stage)}`.trimEnd().concat('\n'));
  };
  return {
    stage(name, total) {
      show();
      stage = { name, total, done: 0, counters: new Map() };
      shownDone = -1;
      shownMs = nowMs();
    },
    step(counter) {
      if (!stage) return;
      stage.done++;
      if (counter !== undefined) stage.counters.set(counter, (stage.counters.get(counter) ?? 0) + 1);
      if (nowMs() - shownMs >= lineEveryMs) show();
    },
    end: show,
  };
}

/** Progress goes to stderr, so that the report on stdout can be kept by itself. */
export function showProgress(stream: NodeJS.WriteStream = process.stderr, nowMs: () => number = () => performance.now()): Progress {
  return stream.isTTY ? barProgress(stream) : lineProgress(stream, nowMs);
}
