import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildApp } from '../lib/app.ts';
import { DeploymentFailed, deploy } from '../lib/localstack/deploy.ts';
import { defaultEndpoint, expectEmulator, NoEmulator } from '../lib/localstack/endpoint.ts';

// `npm run localstack:deploy`: the application into an emulator of AWS, by CloudFormation.

const endpoint = process.env.AWS_ENDPOINT_URL || defaultEndpoint;
const directory = await mkdtemp(join(tmpdir(), 'stampede-'));
try {
  await expectEmulator(endpoint);
  console.log(`Synthesising the app for an emulator, and deploying it to ${endpoint}.`);
  buildApp({ outdir: directory, host: 'emulator' }).synth();
  await deploy({ endpoint, assembly: directory });
  console.log('Deployed. The API: npm run localstack:gateway');
} catch (error) {
  const isSaidWhole = error instanceof NoEmulator || error instanceof DeploymentFailed;
  console.error(isSaidWhole ? error.message : error);
  process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
