import {
  type Attribute,
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { RemovalPolicy } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { numberKeys, type TableName, type TableShape, tables } from '../../functions/shared/tables.ts';

/** What a function may do with a table’s items; a transaction needs the actions of its parts. */
type ItemAction = 'GetItem' | 'BatchGetItem' | 'Query' | 'Scan' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'ConditionCheckItem';
/** Besides, for what looks after the table itself: `UpdateTable` alone cannot be granted for its warm throughput only. */
export type TableAction = ItemAction | 'DescribeTable' | 'UpdateTable';

type IndexName<Name extends TableName> = (typeof tables)[Name] extends { indexes: infer Indexes } ? keyof Indexes & string : never;

/** By table: the actions on its items, and on its indexes. No actions at all gives the table's name alone. */
export type TableAccess = {
  readonly [Name in TableName]?: {
    readonly actions: readonly TableAction[];
    readonly indexes?: { readonly [Index in IndexName<Name>]?: readonly ('Query' | 'Scan')[] };
  };
};

const tableNames = Object.keys(tables) as TableName[];

/** Every table, from the list that repositories share: on demand, encrypted, restorable to any second of 35 days, and never deleted with the stack. */
export class Tables extends Construct {
  readonly #tables: ReadonlyMap<TableName, Table>;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.#tables = new Map(tableNames.map((name) => [name, this.#make(name, tables[name])]));
  }

  of(name: TableName): Table {
    const table = this.#tables.get(name);
    if (!table) throw new Error(`no table ${name}`);
    return table;
  }

  /** Grants exactly what is listed, naming the table and each index. */
  grant(grantee: IGrantable, access: TableAccess): void {
    const allow = (actions: readonly string[], resource: string) => {
      if (actions.length === 0) return;
      const statement = new PolicyStatement({ actions: actions.map((action) => `dynamodb:${action}`), resources: [resource] });
      grantee.grantPrincipal.addToPrincipalPolicy(statement);
    };
    for (const name of tableNames) {
      const wanted = access[name];
      if (!wanted) continue;
      const { tableArn } = this.of(name);
      allow(wanted.actions, tableArn);
      for (const [index, actions] of Object.entries<readonly string[]>(wanted.indexes ?? {})) allow(actions, `${tableArn}/index/${index}`);
    }
  }

  #make(name: TableName, shape: TableShape): Table {
    const table = new Table(this, name, {
      partitionKey: attribute(shape.partitionKey),
      ...(shape.sortKey === undefined ? {} : { sortKey: attribute(shape.sortKey) }),
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.AWS_MANAGED,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
      ...(shape.stream ? { stream: StreamViewType.NEW_IMAGE } : {}),
      ...(shape.expiry === undefined ? {} : { timeToLiveAttribute: shape.expiry }),
    });
    for (const [indexName, index] of Object.entries(shape.indexes ?? {})) {
      table.addGlobalSecondaryIndex({
        indexName,
        partitionKey: attribute(index.partitionKey),
        sortKey: attribute(index.sortKey),
        projectionType: ProjectionType.KEYS_ONLY,
      });
    }
    return table;
  }
}

const attribute = (name: string): Attribute => ({ name, type: numberKeys.has(name) ? AttributeType.NUMBER : AttributeType.STRING });
