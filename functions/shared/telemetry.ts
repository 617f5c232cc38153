import { readableStack } from './stack-trace.ts';

/** Structured logs: one JSON line each, errors with their cause, never a token or a body. */
type Fields = Readonly<Record<string, unknown>>;

function plain(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return {
    name: value.name,
    message: value.message,
    stack: value.stack === undefined ? undefined : readableStack(value.stack),
    ...(value.cause === undefined ? {} : { cause: plain(value.cause) }),
  };
}

function write(level: 'info' | 'warn' | 'error', message: string, fields: Fields): void {
  const line = { level, message, ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)])) };
  process[level === 'info' ? 'stdout' : 'stderr'].write(`${JSON.stringify(line)}\n`);
}

export const log = {
  info: (message: string, fields: Fields = {}) => write('info', message, fields),
  warn: (message: string, fields: Fields = {}) => write('warn', message, fields),
  error: (message: string, fields: Fields = {}) => write('error', message, fields),
};
