import { CfnEventInvokeConfig, CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnResource, type Stack } from 'aws-cdk-lib/core';
import { emulatedName } from './names.ts';

/** Redis of localstack-compose.yml, by the name that containers on its network know. */
export const emulatorRedisUrl = 'redis://redis:6379';

/** The emulator itself, by the name that containers on its network know, whichever of the two is running. */
export const emulatorUrl = 'http://aws:4566';

/** What functions run on inside the emulator is the machine itself; another architecture would have to be emulated once more. */
const architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';

/**
 * Turns the application into what emulators of AWS take: functions have names that follow from the template, for whoever invokes them without
 * asking, find AWS at the emulator, and run on this machine's architecture. The tuning of asynchronous calls goes, which not every emulator knows.
 */
export function forEmulator(stack: Stack): void {
  for (const resource of stack.node.findAll().filter(CfnResource.isCfnResource)) {
    if (resource instanceof CfnFunction) {
      resource.functionName = emulatedName(stack.getLogicalId(resource));
      resource.architectures = [architecture];
      resource.addPropertyOverride('Environment.Variables.AWS_ENDPOINT_URL', emulatorUrl);
    }
    if (resource instanceof CfnEventInvokeConfig) resource.node.scope?.node.tryRemoveChild(resource.node.id);
  }
}
