import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Assembly } from './assembly.ts';
import { type JsonServer, ServiceError, serveJson } from './aws-json.ts';
import { account, region, UnsupportedTemplate } from './intrinsics.ts';
import { compilePattern, type Matcher } from './pattern.ts';

/** Puts messages into a queue; those that could not be put, by their position. */
export type SendToQueue = (queueArn: string, bodies: readonly string[]) => Promise<readonly number[]>;

interface Rule {
  readonly busName: string;
  readonly matches: Matcher;
  readonly queueArns: readonly string[];
}

const Entry = z.object({
  EventBusName: z.string().default('default'),
  Source: z.string().min(1),
  DetailType: z.string().min(1),
  Detail: z.string(),
  /** Seconds since 1970. */
  Time: z.number().optional(),
  Resources: z.array(z.string()).default([]),
});
type Entry = z.infer<typeof Entry>;

const entriesMax = 10;

type EntryResult = { EventId: string } | { ErrorCode: string; ErrorMessage: string };

/**
 * EventBridge's `PutEvents`, and the rules of the template with queues as targets. An event is in every matching queue before the caller
 * has its answer; an entry that could not be delivered everywhere is reported, so it may come twice, as it may in AWS.
 */
export function startBus(
  assembly: Pick<Assembly, 'buses' | 'rules' | 'queues'>,
  send: SendToQueue,
  nowMs: () => number,
): Promise<JsonServer> {
  const rules = rulesOf(assembly);
  const busNames = new Set(assembly.buses.map((bus) => bus.name));

  async function putEvents(input: Record<string, unknown>): Promise<object> {
    const entries = z.array(z.unknown()).min(1).max(entriesMax).safeParse(input.Entries);
    if (!entries.success) throw new ServiceError('ValidationException', `1 to ${entriesMax} entries are wanted`);
    const results: EntryResult[] = [];
    const batches = new Map<string, { body: string; index: number }[]>();
    for (const [index, raw] of entries.data.entries()) {
      const entry = readEntry(raw, busNames);
      if ('ErrorCode' in entry) {
        results.push(entry);
        continue;
      }
      const event = eventOf(entry, nowMs());
      results.push({ EventId: event.id });
      const queueArns = rules
        .filter((rule) => rule.busName === entry.EventBusName && rule.matches(event))
        .flatMap((rule) => rule.queueArns);
      if (queueArns.length === 0) continue;
      const body = JSON.stringify(event);
      // Two rules with one queue deliver twice, as they would in AWS.
      for (const arn of queueArns) batches.set(arn, [...(batches.get(arn) ?? []), { body, index }]);
    }
    const deliver = async ([arn, batch]: [string, { body: string; index: number }[]]) => {
      const failed = await send(
        arn,
        batch.map(({ body }) => body),
      );
      for (const position of failed) {
        const index = batch[position]?.index;
        if (index !== undefined) results[index] = { ErrorCode: 'InternalFailure', ErrorMessage: `${arn} did not take the event` };
      }
    };
    await Promise.all([...batches].map(deliver));
    return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
  }

  return serveJson('AWSEvents', { PutEvents: putEvents });
}

function rulesOf({ rules, queues }: Pick<Assembly, 'rules' | 'queues'>): Rule[] {
  const known = new Set(queues.map((queue) => queue.arn));
  return rules
    .filter(({ properties }) => properties.State === 'ENABLED' && properties.EventPattern !== undefined)
    .map(({ stack, logicalId, properties }) => {
      const place = `${stack}/${logicalId}`;
      for (const target of properties.Targets) {
        if (!known.has(target.Arn)) throw new UnsupportedTemplate(`${place}: only queues can be targets here, not ${target.Arn}`);
        if (target.Input !== undefined) throw new UnsupportedTemplate(`${place}: a target with a fixed input is not known here`);
      }
      return {
        busName: properties.EventBusName.split('/').at(-1) ?? '',
        matches: compilePattern(properties.EventPattern, place),
        queueArns: properties.Targets.map((target) => target.Arn),
      };
    });
}

function readEntry(raw: unknown, busNames: ReadonlySet<string>): Entry | { ErrorCode: string; ErrorMessage: string } {
  const parsed = Entry.safeParse(raw);
  if (!parsed.success) return { ErrorCode: 'InvalidArgument', ErrorMessage: z.prettifyError(parsed.error) };
  const entry = { ...parsed.data, EventBusName: parsed.data.EventBusName.split('/').at(-1) ?? '' };
  if (!busNames.has(entry.EventBusName)) return { ErrorCode: 'InvalidArgument', ErrorMessage: `There is no bus ${entry.EventBusName}` };
  const detail = parseObject(entry.Detail);
  if (!detail) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  return entry;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** EventBridge's envelope. */
function eventOf(entry: Entry, nowMs: number) {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': entry.DetailType,
    source: entry.Source,
    account,
    time: new Date(entry.Time === undefined ? nowMs : entry.Time * 1_000).toISOString().replace(/\.\d{3}Z$/, 'Z'),
    region,
    resources: entry.Resources,
    detail: parseObject(entry.Detail) ?? {},
  };
}
