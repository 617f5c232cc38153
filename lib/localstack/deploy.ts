import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { account, region } from '../local/intrinsics.ts';

/** The CDK's command line ended with an error; it has said itself what was wrong. */
export class DeploymentFailed extends Error {
  override readonly name = 'DeploymentFailed';
}

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

/** Variables by which somebody's real account could be meant. */
const isAboutAws = (name: string): boolean => /^(AWS_|CDK_DEFAULT_)/.test(name);

/**
 * The environment in which the CDK's command line talks to an emulator and to nobody else: every variable that leads to a real account is
 * gone, and so are the files that may. Its S3 client puts the bucket into the path for addresses of this machine by itself; for others
 * it has to be told.
 */
export function emulatorEnvironment(endpoint: string, inherited: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(Object.entries(inherited).filter(([name]) => !isAboutAws(name))),
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_S3_FORCE_PATH_STYLE: '1',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
  };
}

export interface Deployment {
  readonly endpoint: string;
  /** The directory that a synthesis wrote. */
  readonly assembly: string;
  /** What becomes of what the CDK's command line says; it goes where this process' own words go when left out. */
  readonly output?: 'inherit' | 'ignore';
}

/** Bootstraps the emulator and deploys every stack of an assembly there. Throws `DeploymentFailed`. */
export async function deploy({ endpoint, assembly, output = 'inherit' }: Deployment): Promise<void> {
  const env = emulatorEnvironment(endpoint, process.env);
  // Nothing is asked of hosts that are not the emulator.
  const common = ['--app', assembly, '--no-notices', '--no-version-reporting'];
  await cdk(['bootstrap', `aws://${account}/${region}`, ...common], env, output);
  await cdk(['deploy', '--all', '--require-approval', 'never', ...common], env, output);
}

async function cdk(args: readonly string[], env: NodeJS.ProcessEnv, output: 'inherit' | 'ignore'): Promise<void> {
  const program = join(createRequire(import.meta.url).resolve('aws-cdk/package.json'), '..', 'bin', 'cdk');
  const child = spawn(process.execPath, [program, ...args], { env, stdio: output });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (code !== 0) throw new DeploymentFailed(`cdk ${args[0]} ended with ${code === null ? 'a signal' : `code ${code}`}.`);
}
