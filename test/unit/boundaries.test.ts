import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const project = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

type Case = readonly [file: string, imported: string];

const refused: Record<string, readonly Case[]> = {
  'a use case does not reach for another capability’s storage': [
    ['functions/orders/place.ts', '../sales/sale.repository.ts'],
    ['functions/orders/place.ts', '../stock/stock.scripts.ts'],
    ['functions/orders/place.ts', '../stock/stock.wiring.ts'],
    ['functions/views/project-orders.ts', '../orders/orders-by-id.repository.ts'],
  ],
  'a use case does not call another capability’s use case': [['functions/orders/place.ts', '../payments/charge.ts']],
  'a repository keeps to its own tables': [['functions/orders/order.repository.ts', '../accounts/account.repository.ts']],
  'endpoints get their ports from wiring': [['functions/orders/order.endpoints.ts', '../sales/sale.repository.ts']],
  'a model does no I/O': [
    ['functions/orders/order.model.ts', '@aws-sdk/client-dynamodb'],
    ['functions/orders/order.model.ts', 'ioredis'],
    ['functions/orders/order.model.ts', 'node:fs'],
    ['functions/orders/order.model.ts', './order.repository.ts'],
    ['functions/stock/stock.model.ts', '../../lua/stock/reserve.lua'],
  ],
  'a model keeps to its capability like any use case': [['functions/orders/order.model.ts', '../sales/sale.repository.ts']],
  'what ships never imports what deploys': [
    ['functions/orders/place.ts', '../../lib/app.ts'],
    ['functions/orders/order.model.ts', '../../lib/app.ts'],
    ['functions/orders/place.handler.ts', '../../lib/constructs/orders.ts'],
    ['functions/orders/place.wiring.ts', 'aws-cdk-lib/aws-lambda'],
    ['functions/shared/route.ts', '../../lib/app.ts'],
  ],
  'shared code knows no capability': [['functions/shared/http.ts', '../orders/order.model.ts']],
  'lib runs nothing of the functions at synthesis': [
    ['lib/constructs/orders.ts', '../../functions/orders/place.ts'],
    ['lib/constructs/orders.ts', '../../functions/orders/order.repository.ts'],
    ['lib/constructs/orders.ts', '../../functions/stock/stock.scripts.ts'],
    ['lib/local/containers.ts', '../../functions/orders/place.handler.ts'],
  ],
};

const accepted: Record<string, readonly Case[]> = {
  'a use case speaks another capability’s language': [
    ['functions/orders/place.ts', '../stock/stock.model.ts'],
    ['functions/orders/place.ts', '../stock/stock.ports.ts'],
    ['functions/payments/charge.ts', '../orders/order.events.ts'],
    ['functions/orders/order.repository.ts', '../accounts/account.writes.ts'],
    ['functions/orders/place.ts', '../shared/ids.ts'],
    ['functions/orders/place.ts', './order.repository.ts'],
  ],
  'a model builds on models': [
    ['functions/orders/order.model.ts', '../sales/sale.model.ts'],
    ['functions/orders/order.model.ts', '../shared/ids.ts'],
    ['functions/orders/order.model.ts', './order.events.ts'],
  ],
  'scripts take their Lua as text': [
    ['functions/shared/lease.ts', '../../lua/lease/acquire.lua'],
    ['functions/stock/stock.definitions.ts', '../../lua/stock/reserve.lua'],
    ['functions/stock/stock.scripts.ts', '../../lua/lib/reply.lua'],
  ],
  'handlers and wiring put the parts together': [
    ['functions/orders/place.handler.ts', '../stock/stock.scripts.ts'],
    ['functions/orders/place.wiring.ts', '../sales/sale.repository.ts'],
  ],
  'the list of routes collects each capability’s': [['functions/api/routes.ts', '../orders/order.routes.ts']],
  'lib builds on contracts': [
    ['lib/constructs/api.ts', '../../functions/api/routes.ts'],
    ['lib/constructs/tables.ts', '../../functions/shared/tables.ts'],
    ['lib/constructs/consumer.ts', '../../functions/orders/order.events.ts'],
    ['lib/client/contract.ts', '../../functions/orders/order.model.ts'],
  ],
};

describe('boundaries between capabilities', () => {
  const all = [...Object.values(refused), ...Object.values(accepted)].flat();
  const lineOf = ([file, imported]: Case) => importsOf(file).indexOf(imported) + 1;
  const importsOf = (file: string) => all.filter(([each]) => each === file).map(([, imported]) => imported);
  const directory = mkdtempSync(join(tmpdir(), 'stampede-boundaries-'));
  const refusals = new Set<string>();
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  // A small tree with the project's own rules: files of these names that import these things, one a line, linted in one run.
  beforeAll(() => {
    for (const config of ['biome.json', '.gitignore']) cpSync(project(config), join(directory, config));
    for (const file of new Set(all.map(([each]) => each))) {
      mkdirSync(dirname(join(directory, file)), { recursive: true });
      writeFileSync(
        join(directory, file),
        importsOf(file)
          .map((imported) => `import '${imported}';\n`)
          .join(''),
      );
    }
    const linted = spawnSync(
      project('node_modules/.bin/biome'),
      ['lint', '--only=style/noRestrictedImports', '--reporter=github', '--max-diagnostics=none', '.'],
      { cwd: directory, encoding: 'utf8', timeout: 120_000 },
    );
    for (const [, file, line] of linted.stdout.matchAll(/noRestrictedImports,file=([^,]+),line=(\d+)/g))
      refusals.add(`${relative(directory, resolve(directory, String(file)))}:${line}`);
    expect(linted.status, linted.stderr).toBe(1);
  });

  for (const [guarantee, cases] of Object.entries(refused)) {
    it.each(cases)(`${guarantee}: %s may not import %s`, (...each) => {
      expect(refusals).toContain(`${each[0]}:${lineOf(each)}`);
    });
  }
  for (const [guarantee, cases] of Object.entries(accepted)) {
    it.each(cases)(`${guarantee}: %s may import %s`, (...each) => {
      expect(refusals).not.toContain(`${each[0]}:${lineOf(each)}`);
    });
  }
});
