import { App } from 'aws-cdk-lib/core';
import recommended from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { bundleFunctions } from './constructs/bundles.ts';
import { NetworkStack } from './network-stack.ts';
import { StampedeStack } from './stampede-stack.ts';

export interface BuildOptions {
  /** Where the assembly is written; the CDK command line chooses when left out. */
  readonly outdir?: string;
}

/**
 * CDK's current behaviours instead of its old defaults. They stand here and not in cdk.json: whoever synthesises, by command line or by
 * program, gets the same template.
 */
const behaviours = {
  ...recommended,
  // The network must not lose what the application uses.
  '@aws-cdk/core:defaultCrossStackReferences': 'strong',
  // A custom resource with a function of its own, for a group that nothing is in.
  '@aws-cdk/aws-ec2:restrictDefaultSecurityGroup': false,
};

/**
 * The whole CDK app: a stack with what is slow to change (network and cache) and the application on top of it.
 * Needs no AWS credentials and no Docker. Call `synth()` on what it returns.
 */
export function buildApp({ outdir }: BuildOptions = {}): App {
  const bundles = bundleFunctions();
  try {
    const app = new App({ ...(outdir === undefined ? {} : { outdir }), context: behaviours, analyticsReporting: false });
    const network = new NetworkStack(app, 'StampedeNetwork', { description: 'Stampede: network and cache' });
    new StampedeStack(app, 'Stampede', { description: 'Stampede: the flash-sale engine', network, bundles });
    return app;
  } finally {
    // Functions have copied their code into the assembly by now.
    bundles.dispose();
  }
}
