import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiOf } from '../local/api.ts';
import { assemble } from '../local/assembly.ts';
import { startGateway } from '../local/gateway.ts';
import { UnsupportedTemplate } from '../local/intrinsics.ts';
import { createIssuer } from '../local/issuer.ts';
import { localRoutes } from '../local/local-routes.ts';
import { startScheduler } from '../local/scheduler.ts';
import { type CloudAssembly, readAssembly, synthesise } from '../local/synthesis.ts';
import { lambdaAt } from './lambda.ts';
import { emulatedName } from './names.ts';

export interface EmulatorGatewayOptions {
  /** 0 picks a free one. */
  readonly port: number;
  /** The emulator's address. */
  readonly endpoint: string;
  /** A synthesised assembly whose routes to serve, instead of synthesising the app as AWS gets it. */
  readonly cdkOut?: string | undefined;
  /** What goes wrong on the way. */
  readonly onLog?: (line: string) => void;
  readonly nowMs?: () => number;
  /** Gives up a start that is under way, and throws its reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface EmulatorGateway {
  readonly url: string;
  stop(): Promise<void>;
}

const audience = 'stampede';

/**
 * Stands for the HTTP API where the emulator has none: serves the routes of the template on 127.0.0.1 by invoking the deployed functions,
 * checks tokens of an issuer of its own, and runs the schedules, which not every emulator does. What it serves with is the embedded
 * runtime's; only the functions are elsewhere.
 */
export async function startEmulatorGateway(options: EmulatorGatewayOptions): Promise<EmulatorGateway> {
  const { port, endpoint, onLog = () => {}, nowMs = Date.now } = options;
  const gateway = await startGateway({ port, nowMs, onLog });
  const lambda = lambdaAt(endpoint);
  try {
    const cloudAssembly = await assemblyOf(options);
    const issuer = await createIssuer(`${gateway.url}/local`, audience);
    const parameters = { Issuer: issuer.url, Audience: issuer.audience };
    // No queue is called from here, so any address will do.
    const assembly = assemble(cloudAssembly, { parameters, queueUrl: (name) => `${endpoint}/${name}` });
    const functionOf = (arn: string, place: string) => {
      const found = assembly.functions.find((each) => each.arn === arn);
      if (!found) throw new UnsupportedTemplate(`${place}: there is no function ${arn}`);
      return lambda.function(emulatedName(found.logicalId));
    };
    const api = apiOf(assembly, functionOf, issuer, nowMs());
    const scheduler = startScheduler(assembly, functionOf, onLog);
    gateway.open({ ...api, local: localRoutes(issuer, scheduler, nowMs) });
    return {
      url: gateway.url,
      async stop() {
        scheduler.stop();
        await gateway.stop();
        lambda.close();
      },
    };
  } catch (error) {
    await gateway.stop();
    lambda.close();
    throw error;
  }
}

async function assemblyOf({ cdkOut, signal = new AbortController().signal }: EmulatorGatewayOptions): Promise<CloudAssembly> {
  if (cdkOut !== undefined) return readAssembly(cdkOut);
  const directory = await mkdtemp(join(tmpdir(), 'stampede-'));
  try {
    await synthesise(join(directory, 'cdk.out'), [directory], signal);
    return await readAssembly(join(directory, 'cdk.out'));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
