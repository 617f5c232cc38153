import type { Assembly } from './assembly.ts';
import type { Kept } from './data-directory.ts';
import type { HostedFunctions } from './functions.ts';
import { UnsupportedTemplate } from './intrinsics.ts';
import { type Poller, startQueuePoller } from './queue-pollers.ts';
import type { Queues } from './queues.ts';
import { startStreamPoller } from './streams.ts';

export interface MappingOptions {
  readonly assembly: Assembly;
  readonly functions: HostedFunctions;
  readonly queues: Queues;
  readonly databaseEndpoint: string;
  /** The stream of each table that has one, by the table's name. */
  readonly streams: ReadonlyMap<string, string>;
  /** Where a consumer of a stream keeps how far it is, by its name. */
  readonly keptAs: (name: string) => Kept;
  readonly onLog: (line: string) => void;
  readonly nowMs: () => number;
}

/**
 * Starts every event source mapping of the template. Throws `UnsupportedTemplate` for one whose ends are not both hosted here, and then none
 * of them runs.
 */
export async function startMappings(options: MappingOptions): Promise<Poller> {
  const pollers: Poller[] = [];
  const stop = async () => {
    await Promise.all(pollers.map((poller) => poller.stop()));
  };
  try {
    for (const mapping of options.assembly.mappings) if (mapping.properties.Enabled) pollers.push(startMapping(mapping, options));
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

function startMapping(mapping: Assembly['mappings'][number], options: MappingOptions): Poller {
  const { assembly, functions, queues, streams, onLog, nowMs } = options;
  const { EventSourceArn, FunctionName, DestinationConfig, FilterCriteria } = mapping.properties;
  const place = `${mapping.stack}/${mapping.logicalId}`;
  const target = functions.byName(FunctionName, place);

  const queue = assembly.queues.find(({ arn }) => arn === EventSourceArn);
  if (queue) {
    if (FilterCriteria) throw new UnsupportedTemplate(`${place}: filters on queues are not known here`);
    return startQueuePoller({ mapping, queue, queueUrl: queues.urlOf(queue.name), target, client: queues.client, onLog });
  }

  const table = assembly.tables.find(({ arn }) => EventSourceArn.startsWith(`${arn}/stream/`));
  const streamArn = streams.get(table?.name ?? '');
  if (!table || streamArn === undefined) throw new UnsupportedTemplate(`${place}: nothing to read from at ${EventSourceArn}`);
  const partitionKey = table.properties.KeySchema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName ?? '';
  const destination = DestinationConfig?.OnFailure.Destination;
  if (destination !== undefined && !assembly.queues.some(({ arn }) => arn === destination)) {
    throw new UnsupportedTemplate(`${place}: only queues can take what failed, not ${destination}`);
  }
  return startStreamPoller({
    ...{ mapping, streamArn, partitionKey, target, onLog, nowMs },
    endpoint: options.databaseEndpoint,
    kept: options.keptAs(`stream-${mapping.stack}-${mapping.logicalId}.json`),
    async giveUpTo(notice) {
      if (destination === undefined) return;
      const failed = await queues.send(destination, [JSON.stringify(notice)]);
      if (failed.length > 0) onLog(`${destination} did not take ${JSON.stringify(notice)}`);
    },
  });
}
