import { OAuthScope, ResourceServerScope, UserPool } from 'aws-cdk-lib/aws-cognito';
import { Aws, CfnCondition, CfnOutput, CfnParameter, CfnResource, CfnRule, Duration, Fn, RemovalPolicy } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';

/**
 * Who issues the tokens that the gateway accepts: any OIDC issuer, named by parameters, or a Cognito user pool that is made when none is named.
 * Buyers sign themselves up and may ask for `sale:buy` alone. Operating is a client of its own with a secret, so no buyer can ask for it.
 */
export class Identity extends Construct {
  readonly issuer: string;
  readonly audience: string[];

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const issuer = new CfnParameter(this, 'Issuer', {
      default: '',
      description: 'OIDC issuer of tokens; a Cognito user pool is made when empty',
    });
    const audience = new CfnParameter(this, 'Audience', { default: '', description: 'Audience that tokens must be for, with an issuer' });
    const callbacks = new CfnParameter(this, 'CallbackUrls', {
      type: 'CommaDelimitedList',
      default: 'https://localhost/callback',
      description: 'Where the user pool may send buyers who have signed in',
    });
    issuer.overrideLogicalId('Issuer');
    audience.overrideLogicalId('Audience');
    callbacks.overrideLogicalId('CallbackUrls');
    const issuerGiven = new CfnCondition(this, 'IssuerGiven', { expression: Fn.conditionNot(Fn.conditionEquals(issuer, '')) });
    const ownPool = new CfnCondition(this, 'OwnUserPool', { expression: Fn.conditionEquals(issuer, '') });
    new CfnRule(this, 'AudienceWithIssuer', {
      ruleCondition: Fn.conditionNot(Fn.conditionEquals(issuer, '')),
      assertions: [{ assert: Fn.conditionNot(Fn.conditionEquals(audience, '')), assertDescription: 'An Issuer needs an Audience' }],
    });

    const own = new Construct(this, 'Cognito');
    const pool = new UserPool(own, 'UserPool', {
      selfSignUpEnabled: true,
      signInAliases: { email: true },
      autoVerify: { email: true },
      passwordPolicy: { minLength: 12 },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const buyScope = new ResourceServerScope({ scopeName: 'sale:buy', scopeDescription: 'Buy in sales' });
    const operateScope = new ResourceServerScope({ scopeName: 'sale:operate', scopeDescription: 'Operate sales' });
    const server = pool.addResourceServer('Scopes', { identifier: 'stampede', scopes: [buyScope, operateScope] });
    const domain = pool.addDomain('Domain', { cognitoDomain: { domainPrefix: `stampede-${Aws.ACCOUNT_ID}` } });
    const buyers = pool.addClient('Buyers', {
      authFlows: {},
      preventUserExistenceErrors: true,
      accessTokenValidity: Duration.hours(1),
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [OAuthScope.OPENID, OAuthScope.resourceServer(server, buyScope)],
        callbackUrls: callbacks.valueAsList,
      },
    });
    const operators = pool.addClient('Operators', {
      authFlows: {},
      generateSecret: true,
      accessTokenValidity: Duration.hours(1),
      oAuth: { flows: { clientCredentials: true }, scopes: [OAuthScope.resourceServer(server, operateScope)] },
    });
    for (const { id: name, value } of [
      { id: 'SignInUrl', value: domain.baseUrl() },
      { id: 'BuyersClientId', value: buyers.userPoolClientId },
      { id: 'OperatorsClientId', value: operators.userPoolClientId },
    ]) {
      new CfnOutput(this, name, { value, condition: ownPool }).overrideLogicalId(name);
    }
    for (const resource of own.node.findAll()) if (CfnResource.isCfnResource(resource)) resource.cfnOptions.condition = ownPool;

    const given = (whenGiven: string, otherwise: string) => Fn.conditionIf(issuerGiven.logicalId, whenGiven, otherwise).toString();
    this.issuer = given(issuer.valueAsString, pool.userPoolProviderUrl);
    this.audience = [given(audience.valueAsString, buyers.userPoolClientId), given(Aws.NO_VALUE, operators.userPoolClientId)];
  }
}
