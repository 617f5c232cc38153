import { attemptCosts, type CostLine, orderCosts, readyCosts, totalOf } from './costs.ts';
import type { Entry, Inputs } from './measured.ts';
import { type Load, type Needs, needsOf, redisUs, sumOf } from './model.ts';
import { dollars, type Figure, lookedUpOn, quotas, region } from './sources.ts';
import { wallsOf } from './walls.ts';

/** The tables of the document, by the names of its blocks. */
export type Blocks = Readonly<Record<(typeof blockNames)[number], string>>;
export const blockNames = [
  'summary',
  'walls',
  'layers',
  'tables',
  'consumers',
  'attempts',
  'orders',
  'ready',
  'inputs',
  'quotas',
  'prices',
] as const;

const whole = (value: number) => Math.round(value).toLocaleString('en-US');
const some = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 2 : 1 });
const money = (value: number) =>
  `$${value.toLocaleString('en-US', { minimumFractionDigits: value < 100 ? 2 : 0, maximumFractionDigits: value < 100 ? 2 : 0 })}`;
const percent = (share: number) => (share > 10 ? 'over 1,000 %' : `${some(share * 100)} %`);
const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

function table(head: readonly string[], rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const line = head.map((_, column) => (right.includes(column) ? '---:' : '---'));
  return [row(head), row(line), ...rows.map(row)].join('\n');
}

/** Every table of the document, as Markdown. The same inputs give the same text. */
export function blocksOf(inputs: Inputs, load: Load): Blocks {
  const needs = needsOf(inputs, load);
  return {
    summary: summary(inputs, load),
    walls: walls(inputs, load),
    layers: layers(inputs, load, needs),
    tables: tableNeeds(needs, load),
    consumers: consumerNeeds(needs),
    attempts: costs(attemptCosts(inputs)),
    orders: costs(orderCosts(inputs, load)),
    ready: ready(inputs, load),
    inputs: inputTable(inputs),
    quotas: figures(Object.values(quotas)),
    prices: figures(Object.values(dollars)),
  };
}

const whose = { quota: 'AWS, can be raised', service: 'AWS', ours: 'this project' } as const;

function walls(inputs: Inputs, load: Load): string {
  const rows = wallsOf(inputs, load).map((wall) => [
    wall.name,
    `${whole(wall.perSecond)} ${wall.of}/s`,
    percent(wall.share),
    wall.because,
    whose[wall.whose],
    wall.beyond,
    wall.moves,
  ]);
  return table(['wall', 'stands at', 'of the load', 'because', 'whose', 'beyond it', 'what moves it'], rows, [1, 2]);
}

function summary(inputs: Inputs, load: Load): string {
  const first = (of: 'attempts' | 'orders') =>
    wallsOf(inputs, load)
      .filter((wall) => wall.of === of)
      .slice(0, 3)
      .map(({ name, perSecond }) => `${name} (${whole(perSecond)}/s)`)
      .join('; ');
  const [attempt, order] = [totalOf(attemptCosts(inputs)), totalOf(orderCosts(inputs, load))];
  const hourly = readyCosts(inputs, load);
  const of = (per: 'hour' | 'once') => hourly.filter((each) => each.per === per).reduce((sum, each) => sum + each.dollars, 0);
  return table(
    ['', `${whole(load.attemptsPerSecond)} attempts/s, of which ${whole(load.ordersPerSecond)} win`],
    [
      ['attempts meet first', first('attempts')],
      ['orders meet first', first('orders')],
      ['a million attempts', money(attempt.crowd)],
      ['a million orders', `${money(order.crowd)} in a crowd, ${money(order.single)} one at a time`],
      ['standing ready', `${money(of('hour'))} an hour, and ${money(of('once'))} once`],
    ],
  );
}

function layers(inputs: Inputs, load: Load, needs: Needs): string {
  const { measured, assumed, counted } = inputs;
  const us = redisUs(inputs, needs.redisShards > 1);
  const nodeGigabytes = (load.ordersPerSecond * counted.holdSeconds.value * measured.holdBytes.value) / 1e9;
  // A row comes into the index of unpublished rows and goes out again.
  const polled = (counted.pollShards.value * quotas.partitionWrites.value) / (2 * counted.orderOutboxRows.value);
  const outboxBatches = (needs.outboxRows / counted.streamRowsPerBatch.value) * (assumed.dispatchMs.value / 1_000);
  return table(
    ['layer', 'the load', 'rests on'],
    [
      ['HTTP API', `${whole(load.attemptsPerSecond)} requests/s`, `a default quota of ${whole(quotas.httpRequests.value)}/s`],
      [
        'Lambda, reserve',
        `concurrency of ${whole(needs.environments)}, though only ${whole(needs.busyEnvironments)} are busy at a time`,
        `${quotas.lambdaRequestsPerEnvironment.value} requests/s an environment; ${assumed.refusalMs.value} ms a refusal, ${assumed.orderMs.value} ms an order (assumed)`,
      ],
      [
        'The same requests in containers',
        `${whole(needs.cpuCores)} cores busy`,
        `${measured.refusalCpuUs.value} µs of CPU a refusal, ${measured.orderCpuUs.value} µs an order, many at once in one process`,
      ],
      [
        'Lambda, from nothing',
        `${whole(needs.scalingSeconds)} s until all are there`,
        `${whole(quotas.lambdaScaling.value)} every 10 s; each ${whole(measured.coldStartMs.value)} ms from its start to its first answer`,
      ],
      [
        'Redis',
        `${some(needs.redisCores)} cores busy: ${needs.redisShards} shards below ${assumed.redisLoadMax.value * 100} %`,
        `${some(us.refusal)} µs a refusal, ${some(us.order)} µs an order with its ${sumOf(counted.orderScripts.value)} scripts`,
      ],
      [
        'Redis, connections',
        `up to ${whole(needs.environments * measured.connectionsPerShard.value)} a node`,
        `${measured.connectionsPerShard.value} of each environment to each shard that it uses; a node takes ${whole(quotas.redisConnections.value)}`,
      ],
      [
        'Redis, memory',
        `${some(nodeGigabytes)} GB of holds`,
        `${measured.holdBytes.value} bytes a hold, ${counted.holdSeconds.value} s of them`,
      ],
      [
        'DynamoDB',
        `${whole(needs.tableWrites.reduce((sum, { perSecond }) => sum + perSecond, 0))} write units/s`,
        `${some(sumOf(needs.writeUnitsPerOrder))} an order of ${load.unitsPerOrder} ${load.unitsPerOrder === 1 ? 'unit' : 'units'}, in ${counted.orderTransactions.value} transactions`,
      ],
      [
        'Stream of the outbox',
        `${whole(needs.outboxRows)} rows/s, ${whole(needs.streamShards)} shards, ${whole(outboxBatches)} dispatchers busy of at most ${whole(needs.dispatchers)}`,
        `${counted.orderOutboxRows.value} rows an order; a shard for each partition of the table`,
      ],
      [
        'EventBridge',
        `${whole(needs.events)} events/s in ${whole(needs.events / quotas.putEventsEntries.value)} calls, ${whole(needs.messages)} sent on`,
        `${counted.orderEvents.value} events and ${sumOf(counted.orderMessages.value)} messages an order`,
      ],
      [
        'The largest burst at the quotas as they are',
        `${whole(needs.burstOrders)} orders`,
        `so many are charged by events within the ${counted.holdSeconds.value} s of a hold; of more, those that the sweeper does not come to expire`,
      ],
      [
        'The outbox by polling instead',
        `stands at ${whole(polled)} orders/s`,
        `${counted.pollShards.value} keys of ${whole(quotas.partitionWrites.value)} write units/s, in and out for each row: the stream is for such a load`,
      ],
      ['SQS', `${whole(needs.messages)} messages/s`, 'no limit of requests'],
    ],
  );
}

const tableNeeds = (needs: Needs, { ordersPerSecond }: Load) =>
  table(
    ['table', 'write units an order', 'of them indexes', `at ${whole(ordersPerSecond)} orders/s`, 'partitions'],
    needs.tableWrites.map(({ table: name, parts, perOrder, perSecond, partitions }) => [
      `\`${name}\``,
      some(perOrder),
      Object.entries(parts)
        .filter(([where]) => where !== name)
        .map(([where, units]) => `\`${where.split('/')[1]}\` ${some(units)}`)
        .join(', ') || '–',
      `${whole(perSecond)}/s${perSecond > quotas.tableWrites.value ? ', over the quota' : ''}`,
      whole(partitions),
    ]),
    [1, 3, 4],
  );

const consumerNeeds = ({ consumers }: Needs) =>
  table(
    ['consumer', 'messages an order', 'come', 'are taken', 'behind'],
    consumers.map(({ name, messagesPerOrder, messagesPerSecond, messagesPerSecondMax }) => [
      `\`${name}\``,
      String(messagesPerOrder),
      `${whole(messagesPerSecond)}/s`,
      `${whole(messagesPerSecondMax)}/s`,
      messagesPerSecond > messagesPerSecondMax ? `${some(messagesPerSecond / messagesPerSecondMax)} times` : 'no',
    ]),
    [1, 2, 3],
  );

function costs(lines: readonly CostLine[]): string {
  const total = totalOf(lines);
  const isOne = lines.every(({ crowd, single }) => crowd === single);
  const amounts = ({ crowd, single }: { crowd: number; single: number }) => (isOne ? [money(crowd)] : [money(crowd), money(single)]);
  return table(
    ['for a million', ...(isOne ? ['dollars'] : ['in a crowd', 'one at a time']), 'because of each'],
    [
      ...lines.map((line) => [line.what, ...amounts(line), line.because]),
      ['**together**', ...amounts(total).map((amount) => `**${amount}**`), ''],
    ],
    isOne ? [1] : [1, 2],
  );
}

const ready = (inputs: Inputs, load: Load) =>
  table(
    ['what stands ready', 'dollars', 'because'],
    readyCosts(inputs, load).map(({ what, dollars: amount, per, because }) => [
      what,
      `${money(amount)} ${per === 'hour' ? 'an hour' : 'once'}`,
      because,
    ]),
    [1],
  );

function inputTable({ measured, assumed, counted }: Inputs): string {
  const shown = (value: number | Readonly<Record<string, number>>) =>
    typeof value === 'number'
      ? some(value)
      : Object.entries(value)
          .map(([name, each]) => `${name} ${some(each)}`)
          .join(', ');
  const rowsOf = (kind: string, entries: Readonly<Record<string, Entry<number | Readonly<Record<string, number>>>>>) =>
    Object.entries(entries).map(([name, { value, unit, from }]) => [kind, `\`${name}\``, shown(value), unit, from]);
  return table(
    ['', 'input', 'value', 'unit', 'from'],
    [...rowsOf('measured', measured), ...rowsOf('assumed', assumed), ...rowsOf('counted', counted)],
    [2],
  );
}

const figures = (list: readonly Figure[]) =>
  table(
    [`in ${region}, looked up on ${lookedUpOn}`, 'figure', 'unit', 'checked', 'where it stands'],
    list.map(({ of, value, unit, check, url }) => [of, String(value), unit, check, `<${url}>`]),
    [1],
  );
