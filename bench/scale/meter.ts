import { documentDatabase } from '../../functions/shared/dynamo.sdk.ts';
import { tables } from '../../functions/shared/tables.ts';
import { dynamoModel } from '../../test/simulation/dynamodb/model.ts';
import { storedItem } from '../../test/simulation/dynamodb/values.ts';

type Row = Readonly<Record<string, unknown>>;
type TableShapes = Readonly<
  Record<string, { partitionKey: string; sortKey?: string; indexes?: Readonly<Record<string, { partitionKey: string; sortKey: string }>> }>
>;

const shapes: TableShapes = tables;
const writeUnitBytes = 1_024;
const readUnitBytes = 4_096;
/** A transaction prepares each of its writes before it commits them, and both are paid. */
const unitsPerTransactionalWrite = 2;

/** What was asked of the database: units by table, and by `table/index`. */
export interface Metered {
  readonly writeUnits: Readonly<Record<string, number>>;
  readonly readUnits: number;
  readonly transactions: number;
  readonly transactionWritesMax: number;
}

/**
 * A DynamoDB in this process that counts what each call would cost. Sizes and units as the developer guide has them: a write unit for each KB of the
 * larger of an item before and after, twice of it in a transaction; a read unit for each 4 KB read with strong consistency; an index pays for an entry
 * that comes, one that goes, and both where its key changes.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 */
export function meteredDatabase(nowMs: () => number) {
  const model = dynamoModel({ tables, nowMs, random: () => 0.5, indexLagMsMax: 0 });
  const writeUnits = new Map<string, number>();
  let [readUnits, transactions, transactionWritesMax] = [0, 0, 0];
  const charge = (where: string, units: number) => void (units > 0 && writeUnits.set(where, (writeUnits.get(where) ?? 0) + units));

  function chargeWrite(table: string, before: Row | undefined, after: Row | undefined, factor: number): void {
    charge(table, Math.max(writeUnitsOf(before), writeUnitsOf(after), 1) * factor);
    for (const [index, keys] of Object.entries(shapes[table]?.indexes ?? {})) {
      const [gone, come] = [entryOf(table, keys, before), entryOf(table, keys, after)];
      if (gone !== come) charge(`${table}/${index}`, (gone === undefined ? 0 : 1) + (come === undefined ? 0 : 1));
    }
  }

  function call(operation: string, input: Record<string, unknown>): unknown {
    const targets = targetsOf(operation, input);
    const befores = targets.map(({ table, key }) => find(model.items(table), key));
    const isTransaction = operation === 'TransactWrite';
    if (isTransaction) transactions++;
    transactionWritesMax = Math.max(transactionWritesMax, targets.length);
    try {
      const answer = model.call(operation, input);
      readUnits += readsOf(operation, answer);
      return answer;
    } finally {
      // A condition that fails is paid like the write that it prevented.
      for (const [position, { table, key }] of targets.entries()) {
        chargeWrite(table, befores[position], find(model.items(table), key), isTransaction ? unitsPerTransactionalWrite : 1);
      }
    }
  }

  interface Command {
    readonly input: Record<string, unknown>;
  }
  const send = async (command: Command) => call(command.constructor.name.replace(/Command$/, ''), command.input);
  return {
    model,
    // The one method of the client that the database goes by.
    database: documentDatabase({ send } as unknown as Parameters<typeof documentDatabase>[0]),
    metered: (): Metered => ({ writeUnits: Object.fromEntries(writeUnits), readUnits, transactions, transactionWritesMax }),
    /** Bytes of everything that is stored, as DynamoDB counts them. */
    storedBytes: () => Object.keys(shapes).reduce((sum, table) => sum + bytesOf(model.items(table)), 0),
    largestItemBytes: (table: string) => Math.max(0, ...model.items(table).map((item) => storedItem(item).bytes)),
  };
}

const bytesOf = (items: readonly Row[]) => items.reduce((sum, item) => sum + storedItem(item).bytes, 0);
const writeUnitsOf = (item: Row | undefined) => (item ? Math.ceil(storedItem(item).bytes / writeUnitBytes) : 0);
const readUnitsOf = (item: Row) => Math.ceil(storedItem(item).bytes / readUnitBytes);

interface Target {
  readonly table: string;
  readonly key: Row;
}

/** The keys that a call writes. */
function targetsOf(operation: string, input: Record<string, unknown>): Target[] {
  switch (operation) {
    case 'Get':
    case 'BatchGet':
    case 'Query':
    case 'Scan':
      return [];
    case 'TransactWrite':
      return (input.TransactItems as Record<string, Record<string, unknown>>[]).flatMap(Object.values).map(targetOf);
    default:
      return [targetOf(input)];
  }
}

function targetOf({ TableName, Key, Item }: Record<string, unknown>): Target {
  const table = String(TableName);
  const shape = shapes[table];
  if (!shape) throw new Error(`no table ${table}`);
  const named = (Key ?? Item) as Row;
  const names = [shape.partitionKey, ...(shape.sortKey === undefined ? [] : [shape.sortKey])];
  return { table, key: Object.fromEntries(names.map((name) => [name, named[name]])) };
}

const find = (items: readonly Row[], key: Row): Row | undefined =>
  items.find((item) => Object.entries(key).every(([name, value]) => item[name] === value));

/** What stands of an item in an index that holds keys alone; undefined for one that is not in it. */
function entryOf(table: string, keys: { partitionKey: string; sortKey: string }, item: Row | undefined): string | undefined {
  const values = item && [item[keys.partitionKey], item[keys.sortKey]];
  return values === undefined || values.includes(undefined) ? undefined : JSON.stringify([table, ...values]);
}

function readsOf(operation: string, answer: unknown): number {
  const { Item, Responses, Items } = answer as { Item?: Row; Responses?: Record<string, Row[]>; Items?: Row[] };
  if (operation === 'Get') return Item ? readUnitsOf(Item) : 1;
  const found = operation === 'BatchGet' ? Object.values(Responses ?? {}).flat() : operation === 'Query' ? (Items ?? []) : [];
  return found.reduce((sum, item) => sum + readUnitsOf(item), 0);
}
