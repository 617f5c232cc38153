import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** A project folder with nothing but bin/prepare.mjs and a lockfile, on a machine with nothing but the programs given. */
async function machine(programs: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), 'stampede-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'path');
  await mkdir(join(folder, 'bin'));
  await mkdir(path);
  await cp(join(root, 'bin/prepare.mjs'), join(folder, 'bin/prepare.mjs'));
  const lock = {
    '': { version: '1' },
    'node_modules/here': { version: '2.0.0' },
    'node_modules/elsewhere': { version: '1.0.0', optional: true },
  };
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify({ packages: lock }));
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(path, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(path, name), 0o755);
  }
  for (const name of ['sh', 'mkdir', 'cat', 'sleep']) await symlink(`/bin/${name}`, join(path, name));
  const run = async (environment: Record<string, string> = {}) => {
    const child = spawn(process.execPath, [join(folder, 'bin/prepare.mjs')], {
      env: { PATH: path, FOLDER: folder, ...environment },
      cwd: tmpdir(),
    });
    const [out, error, [code]] = await Promise.all([child.stdout.toArray(), child.stderr.toArray(), once(child, 'close')]);
    return { out: Buffer.concat(out).toString(), error: Buffer.concat(error).toString(), code: code as number };
  };
  const linesOf = async (name: string) => (await readFile(join(folder, name), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  return { folder, run, linesOf };
}

const node24 = 'echo v24.21.0';
const installed = JSON.stringify({ packages: { 'node_modules/here': { version: '2.0.0' } } });
const npm = `echo "$@" >> $FOLDER/npm.log; sleep 0.3; mkdir -p $FOLDER/node_modules; echo '${installed}' > $FOLDER/node_modules/.package-lock.json`;
const redis = 'exit 0';

describe('preparing a folder', () => {
  it('installs from the lockfile once, says so, and does nothing when nothing is missing', async () => {
    const { run, linesOf } = await machine({ node: node24, npm, 'redis-server': redis });
    expect(await run()).toMatchObject({ code: 0, out: 'Installing packages (npm ci).\n', error: '' });
    expect(await run()).toEqual({ code: 0, out: '', error: '' });
    expect(await linesOf('npm.log')).toEqual([expect.stringMatching(/^ci /)]);
  });

  it('installs again once the lockfile wants another version, but not for packages of other platforms', async () => {
    const { folder, run, linesOf } = await machine({ node: node24, npm, 'redis-server': redis });
    await run();
    const packages = { 'node_modules/here': { version: '2.0.1' } };
    await writeFile(join(folder, 'package-lock.json'), JSON.stringify({ packages }));
    await run();
    expect(await linesOf('npm.log')).toHaveLength(2);
  });

  it('installs once when several processes begin at the same moment, also beside the lock of a dead one', async () => {
    const { folder, run, linesOf } = await machine({ node: node24, npm, 'redis-server': redis });
    await mkdir(join(folder, '.stampede'));
    // No process has this id: Linux ends at 2^22.
    await writeFile(join(folder, '.stampede/prepare.lock'), '99999999');
    const runs = await Promise.all([run(), run(), run()]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(await linesOf('npm.log')).toHaveLength(1);
    expect(await readdir(join(folder, '.stampede'))).toEqual([]);
  });

  it('says in one sentence what to do when the installation fails or Node is too old', async () => {
    const failing = await machine({ node: node24, npm: 'echo E404 >&2; exit 1', 'redis-server': redis });
    expect(await failing.run()).toMatchObject({ code: 1, error: expect.stringMatching(/^E404[\s\S]*could not be installed: /) });
    const old = await machine({ node: 'echo v20.20.2', npm, 'redis-server': redis });
    expect(await old.run()).toMatchObject({
      code: 1,
      error: expect.stringMatching(/^Stampede needs Node 24 or newer, and here it is v20\.20\.2: [^\n]*\n$/),
    });
  });

  it('brings a Redis from the system’s packages when there is none, after an update if it must', async () => {
    const apt = `echo "$1" >> $FOLDER/apt.log
      [ "$1" = install ] || exit 0
      [ -e $FOLDER/tried ] || { echo > $FOLDER/tried; exit 100; }
      echo '#!/bin/sh' > $FOLDER/path/redis-check-rdb; /bin/chmod +x $FOLDER/path/redis-check-rdb`;
    const { run, linesOf } = await machine({ node: node24, npm, 'apt-get': apt, sudo: 'shift; exec "$@"' });
    expect(await run()).toMatchObject({ code: 0, out: expect.stringContaining('Installing redis-tools') });
    expect(await linesOf('apt.log')).toEqual(['--version', 'install', 'update', 'install']);
    expect(await run()).toEqual({ code: 0, out: '', error: '' });
  });

  it('goes on without a Redis when none can be had, says what takes its place, and does not ask again', async () => {
    const { run, linesOf } = await machine({ node: node24, npm, 'apt-get': 'echo "$1" >> $FOLDER/apt.log; exit 100', sudo: 'exit 1' });
    expect(await run()).toMatchObject({ code: 0, out: expect.stringContaining('WebAssembly takes its place') });
    const asked = await linesOf('apt.log');
    expect(await run()).toEqual({ code: 0, out: '', error: '' });
    expect(await linesOf('apt.log')).toEqual(asked);
  });

  it('leaves Redis alone where none is needed: for synthesis, for the crowd, and with REDIS_URL', async () => {
    const { run, linesOf } = await machine({ node: node24, npm, 'apt-get': 'echo "$1" >> $FOLDER/apt.log; exit 100' });
    for (const environment of [
      { npm_lifecycle_event: 'presynth' },
      { npm_lifecycle_event: 'presale' },
      { REDIS_URL: 'redis://127.0.0.1:6379' },
    ]) {
      expect((await run(environment)).code).toBe(0);
    }
    expect(await linesOf('apt.log')).toEqual([]);
  });
});
