import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const project = fileURLToPath(new URL('../../', import.meta.url));

/** Some files of the tree as they are with a bug, by their paths from the project's directory. */
type Texts = ReadonlyMap<string, string>;

/** Gives the bundler these texts in place of what the files have. */
const withTexts = (texts: Texts): Plugin => ({
  name: 'with-texts',
  setup({ onLoad }) {
    onLoad({ filter: /\.(ts|lua)$/ }, ({ path }) => {
      const contents = texts.get(relative(project, path));
      return contents === undefined ? undefined : { contents, loader: path.endsWith('.lua') ? 'text' : 'ts' };
    });
  },
});

const options = (entry: string, texts: Texts): BuildOptions & { write: false } => ({
  absWorkingDir: project,
  entryPoints: [entry],
  plugins: [withTexts(texts)],
  bundle: true,
  write: false,
  format: 'cjs',
  platform: 'node',
  packages: 'external',
  loader: { '.lua': 'text' },
  logLevel: 'silent',
});

/**
 * Throws what the bundler says of the TypeScript files among these, and of all that they import: a patch that does not parse, or takes away what
 * others import, is no bug that anybody would ship.
 */
export async function expectBuilds(texts: Texts): Promise<void> {
  for (const file of texts.keys()) if (file.endsWith('.ts')) await build({ ...options(file, texts), format: 'esm' });
}

/** The modules that define scripts, and the files that each is made of. */
async function definitions(): Promise<{ module: string; files: string[] }[]> {
  const ofStock = readdirSync(join(project, 'functions/stock')).filter((name) => name.endsWith('.definitions.ts'));
  const modules = ['functions/shared/lease.ts', ...ofStock.map((name) => `functions/stock/${name}`)];
  const built = modules.map(async (module) => {
    const { metafile } = await build({ ...options(module, new Map()), metafile: true });
    return { module, files: Object.keys(metafile.inputs) };
  });
  return Promise.all(built);
}

/** For each set of texts, every script that has one of its Lua files, as Redis would get it, by its name in the module that defines it. */
export async function scriptMaker(): Promise<(texts: Texts) => Promise<Map<string, string>>> {
  const defined = await definitions();
  return async (texts) => {
    const scripts = new Map<string, string>();
    const changed = [...texts].filter(([file]) => file.endsWith('.lua'));
    for (const { module } of defined.filter(({ files }) => changed.some(([file]) => files.includes(file)))) {
      const { outputFiles } = await build(options(module, texts));
      for (const [name, text] of Object.entries(scriptTexts(outputFiles[0]?.text ?? ''))) {
        if (changed.some(([, piece]) => text.includes(piece))) scripts.set(name, text);
      }
    }
    return scripts;
  };
}

/** What a bundled module of definitions exports, as far as it is scripts. */
function scriptTexts(code: string): Record<string, string> {
  const module = { exports: {} as Record<string, unknown> };
  new Function('require', 'module', 'exports', code)(createRequire(join(project, 'functions/')), module, module.exports);
  const texts = Object.entries(module.exports).flatMap(([name, exported]) =>
    typeof exported === 'function' && 'text' in exported ? [[name, String(exported.text)]] : [],
  );
  return Object.fromEntries(texts);
}
