import { resolve } from 'node:path';
import type { Plugin } from 'vitest/config';
import { defineConfig } from 'vitest/config';
import project from '../../vitest.config.ts';

const here = import.meta.dirname;

/** Test files declare their tests to the harness. */
const harness: Plugin = {
  name: 'harness',
  enforce: 'pre',
  resolveId: (source, importer) =>
    source === 'vitest' && importer !== undefined && !importer.startsWith(here) && !importer.includes('node_modules')
      ? resolve(here, 'harness.ts')
      : null,
};

/** They share the servers of their process. */
const servers: Plugin = {
  name: 'servers',
  enforce: 'pre',
  resolveId(source, importer) {
    if (importer === undefined || importer.startsWith(here) || !importer.includes('/test/')) return null;
    const isServer = /\/lib\/local\/(redis|dynamodb)\.ts$/.test(source);
    const isForTables = source === '@aws-sdk/client-dynamodb' && importer.endsWith('/test/support/database.ts');
    return isServer || isForTables ? resolve(here, 'servers.ts') : null;
  },
};

export default defineConfig({
  plugins: [harness, servers, ...(project.plugins ?? [])],
  test: {
    include: ['test/mutation/driver.ts'],
    pool: 'threads',
    maxWorkers: 1,
    isolate: false,
    silent: true,
    watch: false,
    teardownTimeout: 2_000,
  },
});
