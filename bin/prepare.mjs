// Runs before `npm start`, `npm test` and the like: brings what they need and this machine lacks. Plain JavaScript without packages, because it
// must run on whatever Node is there, in a clone where nothing is installed yet.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));
const scratch = join(project, '.stampede');
const nodeMajorMin = 24;
/** npm appends its whole manual to some errors. */
const npmLinesMax = 15;
const installMsMax = 10 * 60_000;
/** An offline machine is not asked to install a Redis at every start. */
const askAgainMs = 24 * 3_600_000;

const say = (line) => process.stdout.write(`${line}\n`);

/** Ends with one sentence that says what to do. */
function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** Whether every package of the lockfile is installed in its version. Optional ones may be for another platform. */
function packagesAreInstalled() {
  const installed = join(project, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const there = readJson(installed).packages;
  const wanted = Object.entries(readJson(join(project, 'package-lock.json')).packages).filter(([path]) => path !== '');
  return wanted.every(([path, { version, optional }]) => there[path]?.version === version || (optional && !there[path]));
}

function installPackages() {
  say('Installing packages (npm ci).');
  const npm = process.env.npm_execpath;
  const [command, args] = npm ? [process.execPath, [npm, 'ci']] : ['npm', ['ci']];
  const { status, stderr } = spawnSync(command, [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: installMsMax,
  });
  if (status === 0) return;
  process.stderr.write(`${(stderr ?? '').split('\n').slice(0, npmLinesMax).join('\n')}\n`);
  fail('The packages could not be installed: mend what npm says above, and run this again.');
}

/** Runs `work` while no other process does, or not at all if `isDone` after another one has. */
function once(isDone, work) {
  if (isDone()) return;
  mkdirSync(scratch, { recursive: true });
  const lock = join(scratch, 'prepare.lock');
  const deadline = Date.now() + installMsMax;
  while (!takeLock(lock)) {
    if (Date.now() > deadline) fail(`Another process has prepared this folder for over ten minutes: end it, or remove ${lock}.`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
  // `process.exit` skips `finally`.
  const unlock = () => rmSync(lock, { force: true });
  process.once('exit', unlock);
  if (!isDone()) work();
  unlock();
  process.removeListener('exit', unlock);
}

function takeLock(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    // Whoever held it was killed before it could give it back.
    if (!isAlive(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isAlive(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    // A lock that is just being written is empty for a moment.
    if (pid === 0) return Date.now() - statSync(lock).mtimeMs < 1_000;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** `npm run` looks into the project's own programs first. */
const path = [join(project, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter);

function checkNode() {
  const version = spawnSync('node', ['--version'], { env: { ...process.env, PATH: path }, encoding: 'utf8' }).stdout?.trim() ?? 'missing';
  const major = Number(/^v(\d+)\./.exec(version)?.[1] ?? 0);
  if (major >= nodeMajorMin) return;
  fail(`Stampede needs Node ${nodeMajorMin} or newer, and here it is ${version}: install it from https://nodejs.org and run this again.`);
}

function isOnPath(program) {
  return path.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The last of them is Debian's server under another name: see lib/local/redis.ts. */
const hasRedis = () => ['valkey-server', 'redis-server', 'redis-check-rdb'].some(isOnPath);

/** Installs a Redis from the system's packages, if that needs no question; `redis-tools` starts no service. Otherwise the runtime brings its own. */
function installRedis() {
  const tried = join(scratch, 'redis-not-installable');
  if (existsSync(tried) && Date.now() - statSync(tried).mtimeMs < askAgainMs) return;
  if (aptGet(['--version']) && (tryInstall() || (aptGet(['update', '-qq']) && tryInstall())) && hasRedis()) return;
  writeFileSync(tried, '');
  say(
    'There is no Redis here and none can be installed without asking: Valkey for WebAssembly takes its place. It is slower; see the README.',
  );
}

function tryInstall() {
  say('Installing redis-tools, whose server is started when it is needed (apt-get install).');
  return aptGet(['install', '-y', '-qq', '--no-install-recommends', 'redis-tools']);
}

function aptGet(args) {
  if (!isOnPath('apt-get')) return false;
  const isRoot = process.getuid?.() === 0;
  const [command, ...rest] = isRoot ? ['apt-get', ...args] : ['sudo', '-n', 'apt-get', ...args];
  const env = { ...process.env, PATH: path, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync(command, rest, { env, stdio: 'ignore', timeout: installMsMax }).status === 0;
}

/** The tests and the runtime need a Redis; synthesis and the crowd do not. */
const needsRedis =
  !['presynth', 'presale', 'prelocalstack:deploy', 'prelocalstack:gateway'].includes(process.env.npm_lifecycle_event ?? '') &&
  !process.env.REDIS_URL;

once(packagesAreInstalled, installPackages);
checkNode();
if (needsRedis) once(hasRedis, installRedis);
