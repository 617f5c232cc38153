/** What is mutated together, and the quick tests that are to notice. */
export interface MutationGroup {
  /** Globs of sources. */
  readonly sources: readonly string[];
  /** Globs of test files. */
  readonly tests: readonly string[];
  /** Globs of test files that are not among them: they wait for clocks, or are about something else. */
  readonly testsNot?: readonly string[];
}

/** A new model, repository, wrapper or definition joins by its name. */
export const groups = {
  rules: {
    sources: ['functions/!(accounts)/*.model.ts'],
    tests: ['test/unit/*/*.test.ts'],
    // A rule is pure, and so are the tests of it.
    testsNot: [
      'test/unit/{client,local,localstack,docs,http,shared,messaging,api,accounts}/**',
      'test/unit/*/*repositor*.test.ts',
      'test/unit/catalogue/{bulk,races,products}.test.ts',
      'test/unit/operations/{streaming,audit,seats}.test.ts',
      'test/unit/sales/{control,sales,known-seats}.test.ts',
      'test/unit/graphql/run{,.*}.test.ts',
      // A million units for each mutant take too long.
      'test/unit/reconciliation/sale-picture.test.ts',
      'test/unit/payments/webhook.test.ts',
      'test/unit/stock/rebuild.request.test.ts',
    ],
  },
  wrappers: {
    sources: [
      'functions/stock/*.{scripts,definitions,keys,records,pieces}.ts',
      'functions/stock/sale-copy.ts',
      'functions/shared/script.ts',
    ],
    tests: ['test/scripts/*.test.ts', 'test/unit/stock/*.test.ts'],
    testsNot: [
      'test/scripts/*.{conservation,cluster,properties,models}.test.ts',
      'test/scripts/lease.test.ts',
      'test/unit/stock/rebuild.request.test.ts',
    ],
  },
  repositories: {
    sources: ['functions/!(accounts)/*.{repository,writes}.ts'],
    tests: ['test/unit/*/*repositor*.test.ts', 'test/unit/operations/timeline.test.ts'],
  },
  ledger: {
    // Its routes and schemas declare the HTTP contract, which the tests of the OpenAPI document hold.
    sources: ['functions/accounts/!(*.routes|*.schemas).ts'],
    tests: ['test/unit/accounts/*.test.ts', 'test/unit/payments/payment.repository.test.ts'],
  },
} as const satisfies Record<string, MutationGroup>;

export type GroupName = keyof typeof groups;

const isGroup = (name: string): name is GroupName => Object.hasOwn(groups, name);

/** The group that this process tries mutants of. */
export function mutationGroup(name = process.env.MUTATION_GROUP ?? ''): MutationGroup {
  if (!isGroup(name)) throw new Error(`no group of mutants is called '${name}'`);
  return groups[name];
}
