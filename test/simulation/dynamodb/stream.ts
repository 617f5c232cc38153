import { marshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord, AttributeValue as StreamedValue } from 'aws-lambda';
import { itemOfKey, type Key, type KeyNames } from './keys.ts';
import type { Item } from './values.ts';

/** A change of one item. */
export interface Change {
  readonly key: Key;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
  readonly bytes: number;
  readonly atMs: number;
  readonly by: 'client' | 'expiry';
}

/** Sequence numbers are long and only grow. */
const firstSequence = 100_000_000_000_000_000_000n;

const marshalled = (item: Item) => marshall(item) as Record<string, StreamedValue>;

/** The changes of a table's items in their order, with the new image of each: the only view type that Stampede's tables have. */
export class Stream {
  readonly #changes: Change[] = [];
  readonly #table: string;
  readonly #names: KeyNames;

  constructor(table: string, names: KeyNames) {
    this.#table = table;
    this.#names = names;
  }

  add(change: Change): void {
    this.#changes.push(change);
  }

  after(position: number): { position: number; records: DynamoDBRecord[] } {
    const records = this.#changes.slice(position).map((change, index) => this.#record(change, position + index));
    return { position: this.#changes.length, records };
  }

  #record({ key, before, after, bytes, atMs, by }: Change, index: number): DynamoDBRecord {
    const sequence = String(firstSequence + BigInt(index));
    return {
      eventID: `${this.#table}-${sequence}`,
      eventName: before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: 'eu-central-1',
      eventSourceARN: `arn:aws:dynamodb:eu-central-1:000000000000:table/${this.#table}/stream/2000-01-01T00:00:00.000`,
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(atMs / 1_000),
        Keys: marshalled(itemOfKey(this.#names, key)),
        ...(after && { NewImage: marshalled(after) }),
        SequenceNumber: sequence,
        SizeBytes: bytes,
        StreamViewType: 'NEW_IMAGE',
      },
      ...(by === 'expiry' && { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } }),
    };
  }
}
