import { Secret, type SecretStringGenerator } from 'aws-cdk-lib/aws-secretsmanager';
import { RemovalPolicy } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';

/** `{"current": "…"}`: rotation puts the newest key under `current` and keeps the one before it under `previous`. */
export const generatedKeys: SecretStringGenerator = {
  secretStringTemplate: '{}',
  generateStringKey: 'current',
  excludePunctuation: true,
  passwordLength: 64,
};

/** The keys that functions sign with. Kept when the stack is deleted: an order's id and a sold ticket depend on them. */
export class Secrets extends Construct {
  readonly hold: Secret;
  readonly ticket: Secret;
  readonly webhook: Secret;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const secret = (name: string, description: string) =>
      new Secret(this, name, { description, generateSecretString: generatedKeys, removalPolicy: RemovalPolicy.RETAIN });
    this.hold = secret('Hold', 'Derives the ids of holds and orders; not rotated while a sale lives');
    this.ticket = secret('Ticket', 'Signs ticket codes');
    // What is generated here is 48 bytes in base64: `whsec_` and this is what a provider is given, or its own secret is put here.
    this.webhook = secret('Webhook', 'What payment providers sign their webhooks with');
  }
}
