import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os';

/** What the figures were measured on and with. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** As it was committed, `+` when something was changed since; `unknown` outside a clone. */
  readonly revision: string;
  readonly packages: Readonly<Record<string, string>>;
}

const packages = [
  'ioredis',
  '@aws-sdk/client-dynamodb',
  '@aws-sdk/lib-dynamodb',
  '@middy/core',
  'zod',
  'undici',
  'esbuild',
  '@dynoxide/linux-x64',
] as const;

const project = new URL('../../', import.meta.url);

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()} ${arch()}`,
    node: process.version,
    revision: revision(),
    packages: Object.fromEntries(packages.flatMap((name) => versionOf(name).map((version) => [name, version]))),
  };
}

/** Nothing where it is not installed: the database's server is there for some platforms only. */
function versionOf(name: string): string[] {
  try {
    const manifest: unknown = JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, project), 'utf8'));
    return [String((manifest as { version: unknown }).version)];
  } catch {
    return [];
  }
}

function revision(): string {
  const git = (...args: string[]) => spawnSync('git', args, { cwd: project, encoding: 'utf8' });
  const commit = git('rev-parse', '--short', 'HEAD');
  if (commit.status !== 0) return 'unknown';
  return commit.stdout.trim() + (git('status', '--porcelain').stdout.trim() === '' ? '' : '+');
}

export const machineLines = ({ cpu, cores, memoryGiB, kernel, node, revision: commit, packages: versions }: Machine): string[] => [
  `${cpu}, ${cores} cores, ${memoryGiB} GiB; ${kernel}; Node ${node}; revision ${commit}`,
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', '),
];
