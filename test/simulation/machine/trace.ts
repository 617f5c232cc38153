import { createHash } from 'node:crypto';
import type { LogLine, Trace } from './contract.ts';

/** What is told to a trace. */
export interface Tracer extends Trace {
  /** One step: what happened, to whom, and with what. `details` are looked at now. */
  step(atUs: number, what: string, details?: unknown): void;
  log(line: LogLine): void;
}

const detailCharactersMax = 600;

export function tracer({ keepsLines, logLinesMax }: { readonly keepsLines: boolean; readonly logLinesMax: number }): Tracer {
  const hash = createHash('sha256');
  const lines: string[] = [];
  let logs: LogLine[] = [];
  let steps = 0;
  return {
    step(atUs, what, details) {
      steps += 1;
      const text = `${atUs} ${what}${details === undefined ? '' : ` ${textOf(details)}`}`;
      hash.update(text);
      hash.update('\n');
      if (keepsLines) lines.push(text.length > detailCharactersMax ? `${text.slice(0, detailCharactersMax)}…` : text);
    },
    log(line) {
      logs.push(line);
      if (logs.length >= 2 * logLinesMax) logs = logs.slice(-logLinesMax);
    },
    hash: () => hash.copy().digest('hex'),
    get steps() {
      return steps;
    },
    get logs() {
      return logs.slice(-logLinesMax);
    },
    ...(keepsLines ? { lines } : {}),
  };
}

/** Any value as a line that two equal values share. An error by its name and words: its stack says where the code lies, which differs. */
export function textOf(value: unknown): string {
  const text = JSON.stringify(value, (_, each: unknown) => {
    if (each instanceof Error) return { error: each.name, message: each.message };
    if (typeof each === 'bigint') return `${each}n`;
    if (each instanceof Set || each instanceof Map) return [...each];
    return each;
  });
  return text ?? 'undefined';
}
