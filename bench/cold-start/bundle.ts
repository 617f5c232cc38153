import { fileURLToPath } from 'node:url';
import { type BuildOptions, buildSync, type Metafile } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** As lib/constructs/bundles.ts bundles functions, so that what is compared with them differs by its code alone. */
const asFunctions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  mainFields: ['module', 'main'],
  loader: { '.lua': 'text' },
  minify: true,
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'error',
} as const satisfies BuildOptions;

/** Bundles one module of the bench's own. `entry` from the project's root. */
export function bundleAs(outfile: string, entry: string): void {
  buildSync({ ...asFunctions, entryPoints: [entry], outfile });
}

/** What each handler is made of and who imports what, by esbuild's own account. */
export function metafileOf(entries: readonly string[]): Metafile {
  const { metafile } = buildSync({
    ...asFunctions,
    // Whose imports they are is the same in fewer bytes and in more.
    ...{ minify: false, sourcemap: false },
    ...{ entryPoints: [...entries], outdir: 'bundles', write: false, metafile: true },
  });
  return metafile;
}
